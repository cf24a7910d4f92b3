"""Builds signed apt and yum repositories.

Pure functions from built packages to the files of one repository, by path below its base.
Sources: the Debian wiki's "DebianRepository/Format"; createrepo_c's output and rpm-md as dnf and zypper read it.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

from bundler.lab import deb, rpm
from bundler.lab.openpgp import SigningKey, armor
from bundler.lab.package import Package, sha256

COMPONENT = "main"


@dataclass(frozen=True)
class BuiltDeb:
    """A deb and what it was made of."""

    package: Package
    content: bytes


@dataclass(frozen=True)
class AptSuite:
    """Name and architectures of an apt repository."""

    distribution: str
    """For its description: ``ubuntu 22.04``."""
    codename: str
    architectures: tuple[str, ...]


def apt(
    suite: AptSuite, debs: Sequence[BuiltDeb], key: SigningKey, date: datetime, *, blank: int = 0
) -> dict[str, bytes]:
    """Make ``dists/`` and ``pool/`` of a repository, signed by ``key`` as of ``date``.

    ``blank`` empty lines follow in each index: they take room when it is unpacked, and hardly any before.
    """
    pool = {_pool_path(built.package): built.content for built in debs}
    indexes: dict[str, bytes] = {}
    for architecture in suite.architectures:
        stanzas = [_stanza(built) for built in debs if built.package.architecture == architecture]
        packages = "\n".join(stanzas).encode() + b"\n" * blank
        place = f"{COMPONENT}/binary-{architecture}"
        indexes[f"{place}/Packages"] = packages
        indexes[f"{place}/Packages.gz"] = gzip.compress(packages, mtime=0)
    release = _release(suite, indexes, date)
    signature = armor("SIGNATURE", key.detached(release.encode(), date)).encode()
    top = {"InRelease": key.clear_signed(release, date), "Release": release.encode(), "Release.gpg": signature}
    dists = {f"dists/{suite.codename}/{name}": content for name, content in (top | indexes).items()}
    return pool | dists


def _pool_path(package: Package) -> str:
    return f"pool/main/{package.name[0]}/{package.name}/{deb.file_name(package)}"


def _stanza(built: BuiltDeb) -> str:
    """Describe one deb in a ``Packages`` index: its own stanza, then where it is and its digests."""
    own, _, description = deb.control(built.package).partition("Description: ")
    return (
        f"{own}Filename: {_pool_path(built.package)}\n"
        f"Size: {len(built.content)}\n"
        f"MD5sum: {hashlib.md5(built.content, usedforsecurity=False).hexdigest()}\n"
        f"SHA256: {sha256(built.content)}\n"
        f"SHA512: {hashlib.sha512(built.content).hexdigest()}\n"
        f"Description: {description}"
    )


def _release(suite: AptSuite, indexes: Mapping[str, bytes], date: datetime) -> str:
    """Write ``Release``. It has no ``Valid-Until``, as the upstream's has none."""
    fields = {
        "Origin": "LAB (not Microsoft)",
        "Label": "LAB",
        "Suite": suite.codename,
        "Codename": suite.codename,
        "Date": format_datetime(date.astimezone(timezone.utc), usegmt=True).replace("GMT", "UTC"),
        "Architectures": " ".join(suite.architectures),
        "Components": COMPONENT,
        "Description": f"LAB repository for {suite.distribution}",
    }
    lines = [f"{name}: {content}" for name, content in fields.items()]
    lines.append("SHA256:")
    lines += [f" {sha256(content)} {len(content):>8} {name}" for name, content in sorted(indexes.items())]
    return "\n".join(lines) + "\n"


def yum(rpms: Sequence[rpm.BuiltRpm], key: SigningKey, date: datetime, *, blank: int = 0) -> dict[str, bytes]:
    """Make ``repodata/`` and ``Packages/`` of a repository, signed by ``key`` as of ``date``; ``blank`` as in apt's."""
    packages = {_package_path(built): built.content for built in rpms}
    documents = {
        "primary": _document("metadata", "http://linux.duke.edu/metadata/common", map(_primary, rpms), len(rpms)),
        "filelists": _document(
            "filelists", "http://linux.duke.edu/metadata/filelists", map(_file_list, rpms), len(rpms)
        ),
        "other": _document("otherdata", "http://linux.duke.edu/metadata/other", map(_brief, rpms), len(rpms)),
    }
    repodata: dict[str, bytes] = {}
    entries = []
    for kind, document in documents.items():
        plain = document + b"\n" * blank
        packed = gzip.compress(plain, mtime=0)
        # Named by digest, so that a reader never gets a new file for an old description.
        place = f"repodata/{sha256(packed)}-{kind}.xml.gz"
        repodata[place] = packed
        entries.append(_data_entry(kind, place, plain, packed, date))
    index = _repomd(entries, date)
    signature = armor("SIGNATURE", key.detached(index, date)).encode()
    return packages | repodata | {"repodata/repomd.xml": index, "repodata/repomd.xml.asc": signature}


def _package_path(built: rpm.BuiltRpm) -> str:
    return f"Packages/{built.package.name[0]}/{rpm.file_name(built.package)}"


def _document(root: str, namespace: str, entries: Iterable[str], count: int) -> bytes:
    more = ' xmlns:rpm="http://linux.duke.edu/metadata/rpm"' if root == "metadata" else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<{root} xmlns="{namespace}"{more} packages="{count}">\n' + "".join(entries) + f"</{root}>\n"
    ).encode()


def _version(package: Package) -> str:
    return f'epoch="0" ver={quoteattr(package.version)} rel={quoteattr(package.release)}'


def _primary(built: rpm.BuiltRpm) -> str:
    package, size = built.package, len(built.content)
    built_at = int(package.built.timestamp())
    provides = "".join(
        f'<rpm:entry name={quoteattr(name)} flags="EQ" {_version(package)}/>'
        for name in (package.name, f"{package.name}({package.architecture.replace('_', '-')})")
    )
    return f"""<package type="rpm">
  <name>{escape(package.name)}</name>
  <arch>{package.architecture}</arch>
  <version {_version(package)}/>
  <checksum type="sha256" pkgid="YES">{sha256(built.content)}</checksum>
  <summary>{escape(package.summary)}</summary>
  <description>{escape(package.description)}</description>
  <packager>LAB (not Microsoft)</packager>
  <url></url>
  <time file="{built_at}" build="{built_at}"/>
  <size package="{size}" installed="{package.installed_size}" archive="{built.payload_size}"/>
  <location href={quoteattr(_package_path(built))}/>
  <format>
    <rpm:license>LAB material</rpm:license>
    <rpm:vendor>LAB - not Microsoft</rpm:vendor>
    <rpm:group>Unspecified</rpm:group>
    <rpm:buildhost>lab.localhost</rpm:buildhost>
    <rpm:sourcerpm>{package.name}-{package.version}-{package.release}.src.rpm</rpm:sourcerpm>
    <rpm:header-range start="{built.header_start}" end="{built.header_end}"/>
    <rpm:provides>{provides}</rpm:provides>
  </format>
</package>
"""


def _file_list(built: rpm.BuiltRpm) -> str:
    package = built.package
    files = "".join(f"  <file>{escape(file.path)}</file>\n" for file in package.files)
    files += "".join(f'  <file type="dir">{escape(path)}</file>\n' for path in package.owned)
    return _brief(built, files)


def _brief(built: rpm.BuiltRpm, inside: str = "") -> str:
    package = built.package
    return (
        f'<package pkgid="{sha256(built.content)}" name={quoteattr(package.name)} arch="{package.architecture}">\n'
        f"  <version {_version(package)}/>\n{inside}</package>\n"
    )


def _data_entry(kind: str, place: str, plain: bytes, packed: bytes, date: datetime) -> str:
    return f"""  <data type="{kind}">
    <checksum type="sha256">{sha256(packed)}</checksum>
    <open-checksum type="sha256">{sha256(plain)}</open-checksum>
    <location href="{place}"/>
    <timestamp>{int(date.timestamp())}</timestamp>
    <size>{len(packed)}</size>
    <open-size>{len(plain)}</open-size>
  </data>
"""


def _repomd(entries: Iterable[str], date: datetime) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">\n'
        f"  <revision>{int(date.timestamp())}</revision>\n"
        "  <tags>\n    <content>LAB repository</content>\n  </tags>\n" + "".join(entries) + "</repomd>\n"
    ).encode()
