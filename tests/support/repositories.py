"""Small signed apt and yum repositories made for a test, as files by path, with every fault that a test wants."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from bundler.errors import NotThereError, UpstreamError, VerificationError
from bundler.fetch.request import Download, Request
from tests.support.package_signing import NOW, Key
from tests.support.packages import PACK

BASE = "https://packages.lab.test/ubuntu/22.04/prod"
DATE = NOW - timedelta(days=20)
KEY = Key()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Served:
    """Files by address, served as the transport would: promises held, bytes at rest, what was asked remembered."""

    folder: Path
    files: dict[str, bytes]
    asked: list[Request] = field(default_factory=list)

    def fetch(self, request: Request) -> Download:
        self.asked.append(request)
        content = self.files.get(request.url)
        if content is None:
            raise NotThereError(f"{request.url}: 404")
        if len(content) > request.max_size:
            raise UpstreamError(f"{request.url}: too big")
        if request.sha256 and sha256(content) != request.sha256:
            raise VerificationError(f"{request.url}: not what was promised", reason="digest-mismatch")
        path = self.folder / sha256(content)
        path.write_bytes(content)
        return Download(path=path, sha256=path.name, size=len(content), url=request.url)


def stanza(version: str = "1.67.03504.1320", arch: str = "amd64", content: bytes | None = None, **changes: str) -> str:
    content = f"deb of {version} {arch}".encode() if content is None else content
    fields = {
        "Package": "azcmagent",
        "Version": version,
        "Architecture": arch,
        "Filename": f"pool/main/a/azcmagent/azcmagent_{version}_{arch}.deb",
        "Size": str(len(content)),
        "SHA256": sha256(content),
        "Description": "LAB package\n more of it",
    }
    fields |= {name.replace("_", "-"): value for name, value in changes.items()}
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


@dataclass(frozen=True)
class Apt:
    """An apt repository's signed part."""

    key: Key = KEY
    stanzas: Sequence[str] = (stanza(), stanza("1.66.1.2"), stanza(arch="arm64"))
    fields: Mapping[str, str] = field(default_factory=dict)
    """What its ``Release`` says otherwise; an empty value takes a field away."""
    date: datetime = DATE
    suffixes: Sequence[str] = ("", ".gz", ".xz")
    place: str = "main/binary-amd64"
    extra: str = ""
    """Further lines of digests."""

    @property
    def indexes(self) -> dict[str, bytes]:
        text = "\n".join(self.stanzas).encode()
        return {f"{self.place}/Packages{suffix}": PACK[suffix](text) for suffix in self.suffixes}

    @property
    def release(self) -> str:
        digests = "".join(f"\n {sha256(data)} {len(data):>8} {path}" for path, data in self.indexes.items())
        fields = {
            "Origin": "LAB",
            "Suite": "jammy",
            "Codename": "jammy",
            "Date": stamp(self.date),
            "Architectures": "amd64 arm64 all",
            "Components": "main",
            "SHA256": digests + self.extra,
        }
        fields |= {name.replace("_", "-"): value for name, value in self.fields.items()}
        return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)

    @property
    def inrelease(self) -> bytes:
        return self.key.clear_signed(self.release, self.date)

    def files(self, base: str = BASE, suite: str = "jammy") -> dict[str, bytes]:
        found = {"InRelease": self.inrelease, **self.indexes}
        return {f"{base}/dists/{suite}/{path}": content for path, content in found.items()}


def stamp(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True).replace("GMT", "UTC")


def entry(version: str = "1.67.03504", release: str = "1320", arch: str = "x86_64", **changes: str) -> str:
    content = f"rpm of {version} {release} {arch}".encode()
    parts = {
        "name": "<name>azcmagent</name>",
        "arch": f"<arch>{arch}</arch>",
        "version": f'<version epoch="0" ver="{version}" rel="{release}"/>',
        "checksum": f'<checksum type="sha256" pkgid="YES">{sha256(content)}</checksum>',
        "summary": "<summary>LAB &amp; more</summary>",
        "size": f'<size package="{len(content)}" installed="1" archive="2"/>',
        "location": f'<location href="Packages/a/azcmagent-{version}-{release}.{arch}.rpm"/>',
        "format": '<format><rpm:license>LAB</rpm:license><rpm:requires><rpm:entry name="x"/></rpm:requires></format>',
    }
    return '<package type="rpm">' + "".join({**parts, **changes}.values()) + "</package>\n"


@dataclass(frozen=True)
class Yum:
    """A yum repository's signed part."""

    key: Key = KEY
    entries: Sequence[str] = (entry(), entry("1.66.1", "2"), entry(arch="aarch64"))
    date: datetime = DATE
    suffix: str = ".gz"
    head: str = '<?xml version="1.0" encoding="UTF-8"?>\n'
    changes: Mapping[str, str] = field(default_factory=dict)
    """Parts of the primary document's entry in ``repomd.xml`` that say something else."""
    more: str = ""
    """Further entries of ``repomd.xml``."""

    @property
    def plain(self) -> bytes:
        spaces = 'xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'
        return f"{self.head}<metadata {spaces} packages='1'>\n{''.join(self.entries)}</metadata>\n".encode()

    @property
    def primary(self) -> bytes:
        return PACK[self.suffix](self.plain)

    @property
    def path(self) -> str:
        return f"repodata/{sha256(self.primary)}-primary.xml{self.suffix}"

    @property
    def repomd(self) -> bytes:
        parts = {
            "checksum": f'<checksum type="sha256">{sha256(self.primary)}</checksum>',
            "open-checksum": f'<open-checksum type="sha256">{sha256(self.plain)}</open-checksum>',
            "location": f'<location href="{self.path}"/>',
            "timestamp": f"<timestamp>{int(self.date.timestamp())}</timestamp>",
            "size": f"<size>{len(self.primary)}</size>",
            "open-size": f"<open-size>{len(self.plain)}</open-size>",
        }
        parts |= self.changes
        data = f'<data type="primary">{"".join(parts.values())}</data>'
        older = '<data type="other"><checksum type="sha">00</checksum><timestamp>1000000000</timestamp></data>'
        return (
            f'{self.head}<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision>'
            f"{older}{data}{self.more}</repomd>\n"
        ).encode()

    @property
    def signature(self) -> bytes:
        from bundler.lab.openpgp import armor

        return armor("SIGNATURE", self.key.detached(self.repomd, self.date)).encode()

    def files(self, base: str) -> dict[str, bytes]:
        found = {
            "repodata/repomd.xml": self.repomd,
            "repodata/repomd.xml.asc": self.signature,
            self.path: self.primary,
        }
        return {f"{base}/{path}": content for path, content in found.items()}
