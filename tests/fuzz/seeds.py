"""Makes the kept inputs of every fuzz target: small files of the lab and of the tests, and hand-made hostile ones.

``python -m tests.fuzz.seeds`` writes them again, with new keys: to be done where a format or a target is new. Files
with other names in a target's folder stay: those that fuzzing found.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import lzma
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import py7zr
import zstandard
from cryptography.hazmat.primitives.serialization import Encoding

from bundler.flow import lock_document
from bundler.formats import armor, cms, der, fingerprint_words, json_codec, msi_signature, sevenzip
from bundler.formats.certificate import fingerprint
from bundler.formats.dsse import Envelope
from bundler.lab.compound_file import write as compound
from bundler.lab.openpgp import armor as lab_armor
from bundler.model.anchor import Anchors
from bundler.model.lock import LOCK_SCHEMA_1, Lock
from bundler.model.manifest import Manifest
from bundler.model.progress import NullProgress
from bundler.model.tree import Entry, Tree
from bundler.pack import manifest as manifests
from bundler.pack import writers
from tests.formats.test_attribute_certificate import made
from tests.fuzz.targets import ANCHORS, CORPUS, FOLDER, TARGETS
from tests.support import authenticode_material as authenticode
from tests.support import package_signing, packages
from tests.support.sealed_bundles import signer

Seeds = Mapping[str, bytes]

_END, _FREE, _FAT, _DIFAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFC
_KEY = package_signing.Key()
_RELEASE = """Origin: LAB
Suite: stable
Codename: stable
Date: Mon, 02 Nov 2026 10:00:00 UTC
Valid-Until: Mon, 09 Nov 2026 10:00:00 UTC
Architectures: amd64 arm64
Components: main
Acquire-By-Hash: yes
SHA256:
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855        0 main/binary-amd64/Packages
 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855       20 main/binary-amd64/Packages.gz
"""
_STANZA = (
    "Package: azcmagent\nVersion: 1.67.03504.1320\nArchitecture: amd64\nSize: 12\n"
    f"Filename: pool/main/a/azcmagent_1.67.deb\nSHA256: {'ab' * 32}\nDescription: LAB\n more\n .\n end\n"
)
_REPOMD = f"""<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="primary">
<checksum type="sha256">{"ab" * 32}</checksum><open-checksum type="sha256">{"cd" * 32}</open-checksum>
<location href="repodata/primary.xml.gz"/><timestamp>1790000000.5</timestamp><size>12</size><open-size>34</open-size>
</data></repomd>"""
_PRIMARY = f"""<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" packages="1"><package type="rpm"><name>azcmagent</name>
<arch>x86_64</arch><version epoch="1" ver="1.67" rel="2"/><checksum type="sha256" pkgid="YES">{"ab" * 32}</checksum>
<size package="12"/><location href="Packages/a.rpm"/></package></metadata>"""
_DEFINITION = """name: "arc-servers"
version: "{date}"
cloud: AzureCloud
tenant: "11111111-2222-3333-4444-555555555555"
subscription: "11111111-2222-3333-4444-555555555555"
resource_group: "rg-arc"
location: "japaneast"
authentication:
  method: service-principal-secret
  service_principal_id: "11111111-2222-3333-4444-555555555555"
agent:
  version: latest
targets:
  - {os: ubuntu, version: "22.04"}
  - {os: windows, version: "2022"}
network:
  profile: public
outputs:
  - {format: zip}
"""


def _sector(*numbers: int) -> bytes:
    return struct.pack("<128I", *numbers, *[_FREE] * (128 - len(numbers)))


def _compound_header(directory: int, difat: int, difats: int) -> bytes:
    fixed = struct.pack("<8s16sHHHHH6s", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, b"")
    counts = struct.pack("<9I", 0, 1, directory, 0, 4096, _END, 0, difat, difats)
    return fixed + counts + struct.pack("<109I", 0, *[_FREE] * 108)


def _compound_files() -> Seeds:
    """Good ones, and one for each table that can lead back to itself."""
    good = compound({"small": b"s" * 50, "large": bytes(range(256)) * 20, "empty": b""}, bytes(16))
    last = struct.pack("<128I", *[_FREE] * 127, 2)
    return {
        "good": good,
        "one": compound({"a": b"x"}, bytes(16)),
        "difat-loop": _compound_header(1, 2, 0xFFFFFFF0) + _sector(_FAT, _END, _DIFAT) + bytes(512) + last,
        "difat-loop-of-two": _compound_header(1, 2, 0x7FFFFFFF)
        + _sector(_FAT, _END, _DIFAT, _DIFAT)
        + bytes(512)
        + last[:-4]
        + struct.pack("<I", 3)
        + last,
        "chain-loop": _compound_header(1, _END, 0) + _sector(_FAT, 1) + bytes(512),
        "chain-loop-of-three": _compound_header(1, _END, 0) + _sector(_FAT, 2, 3, 1) + bytes(1536),
        "sibling-loop": _patched(good, 128 + 72, 1),
        "child-loop": _patched(good, 76, 0),
    }


def _patched(good: bytes, at: int, value: int) -> bytes:
    changed = bytearray(good)
    struct.pack_into("<I", changed, (struct.unpack_from("<I", good, 48)[0] + 1) * 512 + at, value)
    return bytes(changed)


def _signed_files() -> dict[str, Seeds]:
    how = authenticode.signing()
    msi, pe, ps1 = (authenticode.signed(kind, how) for kind in ("msi", "pe", "ps1"))
    pkcs7 = msi_signature.SignedInstaller(io.BytesIO(msi)).pkcs7
    plain = authenticode.msi()
    return {
        "authenticode": {"msi": pkcs7, "plain": authenticode_pkcs7(authenticode.signing(stamp=None))},
        "signature_form": {"msi": pkcs7, "certificate": signer().certificates[0].public_bytes(Encoding.DER)},
        "der": {"msi": pkcs7, "deep": _deep_der()},
        "attribute_certificate": {"deep": _deep_der()[:900], "parts": _attribute_certificate(), "made": made()},
        "text_mode": {"msi": msi[:600], "pe": pe[:600], "rpm": b"\xed\xab\xee\xdb" + b"\r\n" * 40},
        "msi": {"signed": msi, "plain": plain},
        "msi_signature": {"signed": msi},
        "portable_executable": {"signed": pe, "plain": authenticode.pe()},
        "pe_version": {"signed": pe, "header": pe[:512]},
        "powershell_signature": {"signed": ps1, "plain": authenticode.ps1()},
        "trust_authenticode_msi": {"signed": msi},
        "trust_authenticode_pe": {"signed": pe},
        "trust_authenticode_ps1": {"signed": ps1},
        "sniff": {
            "msi": msi[:64],
            "pe": pe[:64],
            "ps1": ps1[-200:],
            "page": b"<!doctype html><html>",
            "deb": b"!<arch>\n",
        },
    }


def _deep_der() -> bytes:
    found = b""
    for _ in range(250):
        found = der.value(0x30, found)
    return found


def _attribute_certificate() -> bytes:
    """One with every part, none of them right."""
    parts = (b"\2\1\1", b"0\0", b"\xa0\0", b"0\0", b"\2\1\1", b"0\0", b"0\0")
    return der.value(0xA1, der.value(0x30, b"".join(parts)) + b"0\0" + b"\3\1\0")


def authenticode_pkcs7(how: authenticode.Signing) -> bytes:
    return msi_signature.SignedInstaller(io.BytesIO(authenticode.signed("msi", how))).pkcs7


def _token(claims: bytes) -> bytes:
    """A JSON Web Token with these claims."""
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in (b'{"alg":"none"}', claims, b"signature"))


def _documents() -> dict[str, Seeds]:
    lab = signer()
    certificate = lab.certificates[0]
    pem = certificate.public_bytes(Encoding.PEM)
    packets = _KEY.certificate()
    return {
        "access_token": {
            "claims": _token(b'{"exp":1796083200,"nbf":1796079600.5,"aud":"https://management.azure.com/"}'),
            "far": _token(b'{"exp":1e400,"nbf":NaN}'),
            "list": _token(b"[1796083200]"),
            "nested": _token(b"[" * 4000),
            "type": b"System.Security.SecureString",
        },
        "apt_release": {"release": _RELEASE.encode()},
        "deb822": {"release": _RELEASE.encode(), "stanza": _STANZA.encode(), "two": f"{_STANZA}\n{_STANZA}".encode()},
        "armor": {"key": armor.armor(packets, "PGP PUBLIC KEY BLOCK").encode()},
        "certificate": {"pem": pem, "der": certificate.public_bytes(Encoding.DER)},
        "presented_chain": {
            "der": certificate.public_bytes(Encoding.DER),
            "negative": bytes.fromhex("300a3008a003020102020180"),
        },
        "cms": {"seal": cms.encode([certificate], "rsa-sha256", b"s" * 256)},
        "definition_text": {"definition": _DEFINITION.encode(), "flow": b'{a: [1, 2.5, "x", ~], b: {c: d}}'},
        "definition": {"definition": _DEFINITION.encode()},
        "dsse": {"envelope": Envelope(b"{}", "application/x", "ab" * 32, b"signature").encode()},
        "trust_provenance": {
            "envelope": Envelope(b"{}", "application/vnd.in-toto+json", fingerprint(certificate), b"s" * 256).encode()
        },
        "fingerprint_words": {"words": " ".join(fingerprint_words.words("ab" * 32)).encode()},
        "in_toto": {"statement": _statement()},
        "json_codec": {"anchors": ANCHORS.read_bytes()[:4000], "small": b'{"name":"LAB","roots":[],"publishers":[]}'},
        "repomd": {"repomd": _REPOMD.encode()},
        "primary": {"primary": _PRIMARY.encode()},
        "schema_age": {
            "lock": b'{"schema":"arc-bundler/lock/2"}',
            "older": b'{"schema":"arc-bundler/lock/1","taken":1}',
        },
        "script_runtime": {"sh": _script("\n"), "ps1": _script("\r\n")},
        "secret_patterns": {"words": b"password=abc\nBearer abc.def.ghi\n-----BEGIN PRIVATE KEY-----\n"},
        "signature_encoding": {"hex": b"ab" * 256, "base64": b"YWJj" * 80, "raw": bytes(256)},
        "versions": {"rpm": b"1:1.67.03504-1320\n1.67~rc1-2", "deb": b"1:1.2~rc1-3ubuntu1\n1.2"},
        "sums": {"two": f"{'ab' * 32}  a/b\n{'cd' * 32}  c\n".encode()},
        "private_endpoint": {
            "configs": b'[{"fqdn":"gbl.his.arc.azure.com","ipAddresses":["10.1.0.5"]}]',
            "nic": b'{"ipConfigurations":[{"privateIPAddress":"10.0.0.4","privateLinkConnectionProperties":'
            b'{"fqdns":["a.b.c"]}}]}',
            "zone": b'{"privateDnsZoneConfigs":[{"recordSets":[{"fqdn":"a.b","ipAddresses":["10.0.0.4"],'
            b'"recordType":"A"}]}]}',
            "query": b'[{"FQDNs":["a.b"],"IPAddress":"10.1.0.4"}]',
            "records": b'{"value":[{"fqdn":"a.b.","aRecords":[{"ipv4Address":"10.0.0.4"}]}]}',
            "list": b"Fqdn : a.b\r\nIpAddresses : {10.0.0.4, 10.0.0.5}\r\n",
            "embedded": b'CustomDnsConfigs : [\n  {"Fqdn": "a.b", "IpAddresses": ["10.0.0.4"]}\n ]\nName : x\n',
        },
        "clear_signed": {"release": _KEY.clear_signed(_RELEASE, packages.BUILT)},
        "openpgp_signature": {
            "armored": lab_armor("SIGNATURE", _KEY.detached(b"signed", packages.BUILT)).encode(),
            "packets": _KEY.detached(b"signed", packages.BUILT) * 2,
        },
        "signature_armor": {"armored": lab_armor("SIGNATURE", _KEY.detached(b"signed", packages.BUILT)).encode()},
        "strict_json": {
            "all": b'{"a": [1, -2.5e3, true, null, "\\ud83d\\ude00"], "b": {"a": ""}}',
            "twice": b'{"a": 1, "a": 2}',
            "numbers": b"[NaN, 1e999, -Infinity, 123456789012345678901]",
        },
        "trust_root": {"pem": pem},
        "trust_seal": {"seal": cms.encode([certificate], "rsa-sha256", b"s" * 256)},
        "trust_key": {"key": _KEY.armored().encode(), "packets": packets},
        "trust_clear_signed": {
            "release": _KEY.clear_signed(_RELEASE, packages.BUILT),
            "dashes": _KEY.clear_signed("- a\n-----BEGIN\n", packages.BUILT),
        },
        "trust_detached": {
            "armored": lab_armor("SIGNATURE", _KEY.detached(b"signed", packages.BUILT)).encode(),
            "packets": _KEY.detached(b"signed", packages.BUILT),
        },
    }


def _statement() -> bytes:
    subject = {"name": "a.zip", "uri": "", "digest": {"sha256": "ab" * 32}}
    body = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [subject],
        "predicateType": "x",
        "predicate": {"a": 1},
    }
    return json.dumps(body).encode()


def _script(end: str) -> bytes:
    platform, name = ("linux", "install.sh") if end == "\n" else ("windows", "install.ps1")
    marker = f"# ==== arc-bundler 0.2.0 runtime: arc-server {platform} {name} sha256:{'ab' * 32} ===="
    return end.join(("# header", marker, "true", "# ==== end of the runtime ====", "")).encode()


def _package_files() -> dict[str, Seeds]:
    debs = {suffix or "plain": packages.deb(suffix=suffix) for suffix in ("", ".gz", ".xz", ".zst")}
    text = b"a line of text\n" * 40
    return {
        "ar": {"deb": packages.deb(), "empty": b"!<arch>\n"},
        "deb": {name.lstrip("."): content for name, content in debs.items()},
        "rpm": {"plain": packages.rpm(), "signed": packages.rpm(_KEY)},
        "tar": {"two": packages.tar({"./control": packages.control().encode(), "b": b"b"})},
        "trust_deb": {"signed": packages.deb(_KEY), "unsigned": packages.deb()},
        "trust_rpm": {"signed": packages.rpm(_KEY), "unsigned": packages.rpm()},
        "compressed_gz": {"one": gzip.compress(text, mtime=0), "two": gzip.compress(b"a", mtime=0) * 2},
        "compressed_xz": {"one": lzma.compress(text), "two": lzma.compress(b"a") * 2},
        "compressed_zst": {"one": zstandard.compress(text), "two": zstandard.compress(b"a") * 2},
    }


def _tar_gz(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(content), 1790000000
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(out.getvalue(), mtime=0)


def _zip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 30, 0, 0, 0)), content)
    return out.getvalue()


def _sevenzip(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w", filters=[{"id": py7zr.FILTER_LZMA2, "preset": 1}]) as archive:
        for name, content in files.items():
            archive.writestr(content, name)
    return out.getvalue()


def _sevenzip_header(archive: bytes) -> bytes:
    found = sevenzip.read_start(archive[:32])
    return archive[32 + found.offset : 32 + found.offset + found.size]


def _records() -> dict[str, Seeds]:
    """A manifest and a lock, as small as they can be, and hostile ones."""
    lock = Lock(
        name="arc-lab",
        version="1",
        created=packages.BUILT,
        definition="ab" * 32,
        fields={"tags.Owner": "ef" * 32, "targets": "01" * 32},
        anchors="LAB",
        anchors_sha256="cd" * 32,
        pins=(),
    )
    manifest = next(entry.content for entry in _tree().entries if entry.path == "manifest.json")
    return {
        "manifest": {"small": bytes(manifest), "deep": b"[" * 500, "number": b'{"a": 1e999}'},
        "lock": {
            "small": json_codec.to_json(lock),
            "schema_1": lock_document.to_bytes(replace(lock, schema=LOCK_SCHEMA_1, fields={})),
            "mixed": json_codec.to_json(replace(lock, schema=LOCK_SCHEMA_1)),
            "field": json_codec.to_json(replace(lock, fields={"tags": "no digest"})),
            "twice": b'{"name": 1, "name": 2}',
        },
    }


def _tree() -> Tree:
    """A bundle of two files."""
    described = Manifest(
        name="arc-lab",
        version="1",
        product="arc-server",
        created=packages.BUILT,
        tool="arc-bundler 0",
        lab=True,
        targets=(),
        parameters={},
        anchors="LAB",
        anchors_sha256="0" * 64,
        lock_sha256="0" * 64,
        pins=(),
        files=(),
    )
    entries = (Entry("a/b", b"text\n" * 20), Entry("install.sh", b"true\n", 0o755))
    return manifests.assemble(described, entries, name="arc-lab-1", time=packages.BUILT)


def _archives() -> dict[str, Seeds]:
    """The bundle in each container, by our own writers: no other form is read far."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for form in ("tar.gz", "zip", "7z"):
            place = Path(folder, form)
            writers.write(form, _tree(), place, progress=NullProgress())
            made[f"bundle_{form.replace('.', '_')}"] = {"ours": place.read_bytes()}
    made["bundle_tar_gz"]["foreign"] = _tar_gz({"b/a": b"a" * 100, "b/c": b""})
    made["bundle_zip"]["foreign"] = _zip({"b/a": b"a" * 100, "b/c": b""})
    made["bundle_7z"]["foreign"] = _sevenzip({"b/a": b"a" * 100, "b/c": b""})
    made["sevenzip"] = {form: _sevenzip_header(content) for form, content in made["bundle_7z"].items()}
    return made


def _anchors() -> Anchors:
    made = authenticode.anchors()
    return Anchors(
        name="LAB fuzzing", lab=True, roots=made.roots, publishers=made.publishers, package_keys=(_KEY.pin(),)
    )


def _write(folder: str, seeds: Iterable[tuple[str, bytes]]) -> None:
    place = CORPUS / folder
    place.mkdir(parents=True, exist_ok=True)
    for name, content in seeds:
        (place / name).write_bytes(content)


def main() -> None:
    """Write anchors, a certificate, and every target's seeds."""
    ANCHORS.write_bytes(json_codec.to_json(_anchors()))
    (FOLDER / "signer.der").write_bytes(signer().certificates[0].public_bytes(Encoding.DER))
    made = (
        _signed_files()
        | _documents()
        | _package_files()
        | _archives()
        | _records()
        | {"compound_file": _compound_files()}
    )
    for target in TARGETS:
        _write(target, made[target].items())


if __name__ == "__main__":
    main()
