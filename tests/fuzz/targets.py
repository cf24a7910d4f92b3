"""What fuzzing calls: every parser that meets bytes of others, and the errors that it may raise.

A target takes bytes. It returns, or raises an error that its parser documents; anything else is a fault, and so is
memory or time without a bound. Its parser is imported when the target is loaded, so that a run instruments no more.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
CORPUS = FOLDER / "corpus"
ANCHORS = FOLDER / "anchors.json"
AT = datetime(2026, 12, 1, tzinfo=timezone.utc)

Read = Callable[[bytes], object]


@dataclass(frozen=True)
class Target:
    """One parser."""

    name: str
    module: str
    """Where the parser is."""
    make: Callable[[Any], Read]
    """Gives the function to call, from the module."""
    errors: tuple[str, ...] = ("bundler.formats.parse_error:ParseError", "bundler.errors:BundlerError")
    """``module:class`` of each error that is an answer."""
    largest: int = 8192
    """Bytes of an input."""

    def load(self) -> tuple[Read, tuple[type[Exception], ...]]:
        """Import the parser: the function to call, and the errors that are answers."""
        read = self.make(import_module(self.module))
        return read, tuple(getattr(import_module(m), c) for m, _, c in (one.partition(":") for one in self.errors))

    def corpus(self) -> list[Path]:
        """Its kept inputs."""
        return sorted(path for path in (CORPUS / self.name).iterdir() if path.is_file())


def _plain(function: str) -> Callable[[Any], Read]:
    """A parser that takes bytes."""
    return lambda module: getattr(module, function)


def _file(function: str) -> Callable[[Any], Read]:
    """A parser that takes an open file."""
    return lambda module: lambda document: getattr(module, function)(io.BytesIO(document))


def _all(function: str, **more: Any) -> Callable[[Any], Read]:
    """A parser that takes an open file, and gives one item after the other."""
    return lambda module: lambda document: _exhaust(getattr(module, function)(io.BytesIO(document), **more))


def _exhaust(items: Iterable[object]) -> None:
    for _ in items:
        pass


def _text(function: str) -> Callable[[Any], Read]:
    """A parser that takes text."""
    return lambda module: lambda document: getattr(module, function)(document.decode("utf-8", "surrogateescape"))


def _token(module: Any) -> Read:
    def read(document: bytes) -> None:
        text = document.decode("utf-8", "surrogateescape")
        module.is_type_name(text)
        module.read(text)

    return read


def _compound_file(module: Any) -> Read:
    def read(document: bytes) -> None:
        held = module.CompoundFile(io.BytesIO(document))
        for stream in (child for child in held.root.children if child.kind == "stream"):
            _exhaust(held.chunks(stream))

    return read


def _signature(module: Any) -> Read:
    """Everything that is read of a PKCS#7 signature."""
    values = import_module("bundler.formats.authenticode_values")

    def read(document: bytes) -> None:
        found = module.read_signature(document)
        for signer in found.signers:
            values.read_signing_certificate(signer)
            for value in signer.others(module.COUNTERSIGNATURE):
                module.read_countersignature(value)
        if found.content_type == module.TST_INFO:
            values.read_timestamp_info(found)
        else:
            values.read_indirect_data(found)

    return read


def _attribute_certificate(module: Any) -> Read:
    holder = module.Holder((FOLDER / "signer.der").read_bytes(), b"0\0", b"0\0", b"\2\1\1")
    return lambda document: module.fault(document, holder)


def _der(module: Any) -> Read:
    """Values in values, as deep as they go."""

    def read(document: bytes) -> None:
        waiting = [module.one(document)]
        while waiting:
            found = waiting.pop()
            if module.value(found.tag, found.contents) != found.whole:
                raise AssertionError("what was read is written otherwise")
            if found.tag & 0x20:
                waiting.extend(module.elements(found.contents))

    return read


def _form(module: Any) -> Read:
    """A signature, written again from what was read."""
    signatures = import_module("bundler.formats.authenticode")

    def read(document: bytes) -> None:
        module.is_plain_algorithm(document)
        module.is_whole_certificate(document)
        module.rewritten(signatures.read_signature(document))

    return read


def _decompress(kind: str) -> Callable[[Any], Read]:
    return lambda module: lambda document: _exhaust(module.decompress(io.BytesIO(document), kind, limit=1 << 24))


def _chain(module: Any) -> Read:
    def read(document: bytes) -> None:
        module.has_negative_serial(document)
        links = module.read([document, document])
        if links:
            module.end(links)

    return read


def _certificate(module: Any) -> Read:
    def read(document: bytes) -> None:
        module.parse_fingerprint(document.decode("latin-1"))
        module.read(document)

    return read


def _signed(kind: str) -> Callable[[Any], Read]:
    """A signed file and the digest that its signature covers."""
    return lambda module: lambda document: getattr(module, kind)(io.BytesIO(document)).digest("sha256")


def _versions(module: Any) -> Read:
    """Two versions on two lines."""
    rpm_version = import_module("bundler.formats.rpm_version")

    def read(document: bytes) -> None:
        one, _, other = document.decode("utf-8", "replace").partition("\n")
        if module.is_version(one) and module.is_version(other):
            module.compare(one, other)
        if rpm_version.is_version(one) and rpm_version.is_version(other):
            rpm_version.key(one) < rpm_version.key(other)  # noqa: B015 - comparing is what could fail

    return read


def _sevenzip(module: Any) -> Read:
    """The first 32 bytes, and a header: packed by its first byte."""

    def read(document: bytes) -> None:
        module.read_start(module.start_header(document, 0))
        (module.read_packed_header if document[:1] == b"\x17" else module.read_header)(document)

    return read


def _manifest(module: Any) -> Read:
    return module.read_manifest


def _lock(module: Any) -> Read:
    return lambda document: module._parse(document, Path("bundle.lock"))


def _age(module: Any) -> Read:
    return lambda document: module.schema_age(document, "arc-bundler/lock/2", ("taken",))


def _script(module: Any) -> Read:
    def read(document: bytes) -> None:
        name = "install.ps1" if b"\r\n" in document else "install.sh"
        module.read(document, name, product="arc-server")

    return read


def _packages(module: Any) -> Read:
    return lambda document: _exhaust(module.packages([document], name="azcmagent"))


def _encodings(module: Any) -> Read:
    loaded = import_module("bundler.formats.certificate").loaded
    certificate = loaded((FOLDER / "signer.der").read_bytes())
    return lambda document: _exhaust(module.encodings(document, certificate))


def _kind(module: Any) -> Read:
    return lambda document: module.kind(document, document[-64:])


def _definition(module: Any) -> Read:
    return lambda document: module.load(Path("bundle.yaml"), document, today=AT.date())


def _secrets(module: Any) -> Read:
    return lambda document: _exhaust(module.found(document.decode("utf-8", "replace")))


def _bundle(module: Any) -> Read:
    """An archive, read to its end."""
    import atexit
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="arc-bundler-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

    def read(document: bytes) -> None:
        place = folder / "bundle"
        place.write_bytes(document)
        with module.open_bundle(place) as container:
            for member in container.walk():
                _exhaust(member.chunks())

    return read


def _lab_anchors() -> Any:
    anchors = import_module("bundler.model.anchor").Anchors
    return import_module("bundler.formats.json_codec").from_json(anchors, ANCHORS.read_bytes())


def _trusted_file(*more: str) -> Callable[[Any], Read]:
    """A verifier of packages."""

    def make(module: Any) -> Read:
        anchors = _lab_anchors()
        return lambda document: module.verify(io.BytesIO(document), *more, anchors=anchors, at=AT)

    return make


def _clear_signed(module: Any) -> Read:
    return partial(module.verify_clearsigned, anchors=_lab_anchors(), at=AT, what="it")


def _detached(module: Any) -> Read:
    data = b"signed"
    return lambda document: module.verify_detached(
        document, [data], size=len(data), anchors=_lab_anchors(), at=AT, what="it"
    )


def _with_anchors(function: str) -> Callable[[Any], Read]:
    def make(module: Any) -> Read:
        anchors = _lab_anchors()
        return lambda document: getattr(module, function)(document, anchors)

    return make


def _anchors(module: Any) -> Read:
    anchors = import_module("bundler.model.anchor").Anchors
    return lambda document: module.from_json(anchors, document)


def _seal(module: Any) -> Read:
    return lambda document: module.read({"SHA256SUMS.p7s": document}, "SHA256SUMS.p7s")


def _envelope(module: Any) -> Read:
    certificate = import_module("bundler.formats.certificate").loaded((FOLDER / "signer.der").read_bytes())
    return lambda document: module.verify(document, certificate)


_RECORD = ("bundler.formats.json_codec:RecordError",)
_VALUE = ("builtins:ValueError",)
_BIG = 1 << 16

_DECLARED = (
    Target("access_token", "bundler.formats.access_token", _token),
    Target("apt_release", "bundler.formats.apt_release", _plain("parse")),
    Target("ar", "bundler.formats.ar", _file("members")),
    Target("armor", "bundler.formats.armor", _plain("dearmor")),
    Target("attribute_certificate", "bundler.formats.attribute_certificate", _attribute_certificate, ()),
    Target("authenticode", "bundler.formats.authenticode", _signature, largest=_BIG),
    Target("certificate", "bundler.formats.certificate", _certificate),
    Target("clear_signed", "bundler.formats.clear_signed", _plain("split")),
    Target("cms", "bundler.formats.cms", _plain("read"), _VALUE),
    Target("compound_file", "bundler.formats.compound_file", _compound_file, largest=_BIG),
    Target("compressed_gz", "bundler.formats.compressed", _decompress("gz")),
    Target("compressed_xz", "bundler.formats.compressed", _decompress("xz")),
    Target("compressed_zst", "bundler.formats.compressed", _decompress("zst")),
    Target("deb", "bundler.formats.deb", _file("facts"), largest=_BIG),
    Target("deb822", "bundler.formats.deb822", _all("paragraphs")),
    Target(
        "definition_text",
        "bundler.formats.definition_text",
        _plain("read"),
        ("bundler.formats.definition_text:TextError",),
    ),
    Target("der", "bundler.formats.der", _der, _VALUE),
    Target("dsse", "bundler.formats.dsse", _plain("read")),
    Target("fingerprint_words", "bundler.formats.fingerprint_words", _text("decode")),
    Target("in_toto", "bundler.formats.in_toto", _plain("read"), ("bundler.formats.in_toto:StatementError",)),
    Target("json_codec", "bundler.formats.json_codec", _anchors, _RECORD),
    Target("msi", "bundler.formats.msi", _file("facts"), largest=_BIG),
    Target("msi_signature", "bundler.formats.msi_signature", _signed("SignedInstaller"), largest=_BIG),
    Target("openpgp_signature", "bundler.formats.openpgp_signature", _plain("signatures")),
    Target("pe_version", "bundler.formats.pe_version", _file("facts")),
    Target("portable_executable", "bundler.formats.portable_executable", _signed("SignedImage")),
    Target("presented_chain", "bundler.formats.presented_chain", _chain, ()),
    Target("powershell_signature", "bundler.formats.powershell_signature", _signed("SignedScript"), largest=_BIG),
    Target("repomd", "bundler.formats.repodata", _plain("repomd")),
    Target("primary", "bundler.formats.repodata", _packages),
    Target("rpm", "bundler.formats.rpm", _file("facts")),
    Target("schema_age", "bundler.formats.schema_age", _age),
    Target("script_runtime", "bundler.formats.script_runtime", _script),
    Target("secret_patterns", "bundler.formats.secret_patterns", _secrets),
    Target("sevenzip", "bundler.formats.sevenzip", _sevenzip),
    Target("signature_armor", "bundler.formats.signature_armor", _plain("dearmor")),
    Target("signature_encoding", "bundler.formats.signature_encoding", _encodings),
    Target("signature_form", "bundler.formats.signature_form", _form, largest=_BIG),
    Target("sniff", "bundler.formats.sniff", _kind),
    Target("strict_json", "bundler.formats.strict_json", _plain("read"), ("bundler.formats.strict_json:JsonError",)),
    Target("tar", "bundler.formats.tar", _all("entries", max_content=1 << 16), largest=1 << 15),
    Target("text_mode", "bundler.formats.text_mode", _file("damage")),
    Target("versions", "bundler.formats.deb_version", _versions),
    Target("definition", "bundler.products.definition_file", _definition),
    Target("lock", "bundler.flow.lock_file", _lock, largest=1 << 15),
    Target("manifest", "bundler.integrity.check", _manifest, largest=1 << 15),
    Target("sums", "bundler.integrity.sums", _plain("parse"), _VALUE),
    Target("private_endpoint", "bundler.products.azure.private_endpoint", _plain("read")),
    Target("bundle_tar_gz", "bundler.pack.container", _bundle, largest=_BIG),
    Target("bundle_zip", "bundler.pack.container", _bundle, largest=_BIG),
    Target("bundle_7z", "bundler.pack.container", _bundle, largest=_BIG),
    Target("trust_authenticode_msi", "bundler.trust.authenticode", _trusted_file("msi"), largest=_BIG),
    Target("trust_authenticode_pe", "bundler.trust.authenticode", _trusted_file("pe"), largest=_BIG),
    Target("trust_authenticode_ps1", "bundler.trust.authenticode", _trusted_file("ps1"), largest=_BIG),
    Target("trust_deb", "bundler.trust.debsigs", _trusted_file(), largest=_BIG),
    Target("trust_rpm", "bundler.trust.rpm_signature", _trusted_file(), largest=_BIG),
    Target("trust_clear_signed", "bundler.trust.openpgp", _clear_signed),
    Target("trust_detached", "bundler.trust.openpgp", _detached),
    Target("trust_key", "bundler.trust.pins", _with_anchors("key")),
    Target("trust_root", "bundler.trust.pins", _with_anchors("root")),
    Target("trust_seal", "bundler.trust.seal_signature", _seal),
    Target("trust_provenance", "bundler.trust.dsse_signature", _envelope),
)

TARGETS = {target.name: target for target in _DECLARED}
"""Every target, by name."""
