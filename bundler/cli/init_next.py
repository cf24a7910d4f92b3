"""The steps after ``init``, up to a signed bundle: the commands, each with what it is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bundler.formats import shell_words

_KEY, _CERTIFICATE = Path("seal-key.pem"), Path("seal-certificate.pem")


@dataclass(frozen=True)
class Step:
    """One command."""

    why: str
    words: tuple[str, ...]


def steps(definition: Path, name: str, lab: Path | None) -> tuple[Step, ...]:
    """The commands that make a signed bundle of ``definition``; a lab has a key already."""
    named = () if definition == Path("bundle.yaml") else ("--definition", str(definition))
    key, certificate = (lab / "authority" / path for path in (_KEY, _CERTIFICATE)) if lab else (_KEY, _CERTIFICATE)
    sealing = ("--seal-key", str(key), "--seal-certificate", str(certificate))
    return (
        Step("find and verify the packages", ("arc-bundler", "lock", *named)),
        *(() if lab else _key_commands(name)),
        Step("make and sign the bundle", ("arc-bundler", "build", "--locked", *named, *sealing)),
    )


def lines(found: Sequence[Step]) -> Iterator[str]:
    """The steps as lines: each command below what it is for."""
    for number, step in enumerate(found, 1):
        yield f"  {number}. {step.why}:"
        yield f"     {shell_words.command(*step.words)}"


def _key_commands(name: str) -> tuple[Step, Step]:
    """A key and its certificate, as ``docs/sealing.md`` explains them; for OpenSSL 1.1.1 or newer."""
    subject = f"/CN={name.replace('+', '-')} sealer"
    return (
        Step(
            "make the key that signs bundles, once; it asks for a passphrase; keep the file out of git",
            (
                *("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"),
                *("-aes-256-cbc", "-out", str(_KEY)),
            ),
        ),
        Step(
            "make its certificate, valid for three years",
            (
                *("openssl", "req", "-new", "-x509", "-sha256", "-days", "1095", "-key", str(_KEY)),
                *("-out", str(_CERTIFICATE), "-subj", subject, "-addext", "keyUsage=critical,digitalSignature"),
                *("-addext", "extendedKeyUsage=codeSigning", "-addext", "basicConstraints=critical,CA:FALSE"),
            ),
        ),
    )
