"""Builds signed deb packages.

An ``ar`` archive of ``debian-binary``, ``control.tar.gz`` and ``data.tar.gz`` (deb(5)), with the upstream's further
member ``_gpgorigin``: a detached OpenPGP signature over the bytes of the three (debsigs(1), debsig-verify's policy).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Sequence
from datetime import datetime

from bundler.lab.openpgp import SigningKey, armor
from bundler.lab.package import Moment, Package

_SCRIPTS: dict[Moment, str] = {"after-install": "postinst", "before-remove": "prerm", "after-remove": "postrm"}


def build(package: Package, key: SigningKey | None) -> bytes:
    """Make the deb, signed by ``key`` at the time it was built; with no key it has no ``_gpgorigin``."""
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", _control_archive(package)),
        ("data.tar.gz", _data_archive(package)),
    ]
    if key:
        signature = key.detached(b"".join(content for _, content in members), package.built)
        members.append(("_gpgorigin", armor("SIGNATURE", signature).encode()))
    return _ar(members, package.built)


def file_name(package: Package) -> str:
    """Name in a pool: ``azcmagent_1.67.03504.1320_amd64.deb``."""
    return f"{package.name}_{version(package)}_{package.architecture}.deb"


def version(package: Package) -> str:
    """Join version and release as the upstream does in debs."""
    return f"{package.version}.{package.release}"


def control(package: Package) -> str:
    """Write the control stanza (deb-control(5))."""
    fields = {
        "Package": package.name,
        "Version": version(package),
        "Architecture": package.architecture,
        "Maintainer": "LAB (not Microsoft) <lab@localhost>",
        "Installed-Size": str(-(-package.installed_size // 1024)),
        "Section": "misc",
        "Priority": "optional",
        "Description": package.summary,
    }
    lines = [f"{name}: {content}" for name, content in fields.items()]
    lines += [f" {line}" if line else " ." for line in package.description.splitlines()]
    return "\n".join(lines) + "\n"


def _control_archive(package: Package) -> bytes:
    sums = "".join(
        f"{hashlib.md5(file.content, usedforsecurity=False).hexdigest()}  {file.path.lstrip('/')}\n"
        for file in package.files
    )
    members = [(".", None, 0o755), ("./control", control(package).encode(), 0o644), ("./md5sums", sums.encode(), 0o644)]
    members += [(f"./{_SCRIPTS[moment]}", script.encode(), 0o755) for moment, script in sorted(package.scripts.items())]
    return _tar(members, package.built)


def _data_archive(package: Package) -> bytes:
    members: list[tuple[str, bytes | None, int]] = [(f".{path}", None, 0o755) for path in package.directories()]
    members += [(f".{file.path}", file.content, file.mode) for file in package.files]
    return _tar([(".", None, 0o755), *sorted(members)], package.built)


def _tar(members: Sequence[tuple[str, bytes | None, int]], time: datetime) -> bytes:
    """Pack files, and directories (content None), owned by root and all of one time, with gzip."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content, mode in members:
            info = tarfile.TarInfo(name if content is not None else f"{name}/")
            info.mode, info.mtime, info.uname, info.gname = mode, int(time.timestamp()), "root", "root"
            info.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            info.size = len(content or b"")
            archive.addfile(info, io.BytesIO(content or b""))
    return gzip.compress(held.getvalue(), compresslevel=6, mtime=0)


def _ar(members: Sequence[tuple[str, bytes]], time: datetime) -> bytes:
    """Pack an ``ar`` archive with short names (ar(5)); contents of odd length are followed by a newline."""
    packed = b"!<arch>\n"
    for name, content in members:
        packed += f"{name:<16}{int(time.timestamp()):<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        packed += content + b"\n" * (len(content) % 2)
    return packed
