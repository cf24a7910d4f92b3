"""Signing with OpenPGP keys: made by gpg, verified by gpgv."""

from __future__ import annotations

import os
import re
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pysequoia
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pysequoia.packet import PacketPile, Tag

from bundler.errors import SigningError
from bundler.signing import openpgp_signer
from tests.support import package_signing
from tests.support import signing_keys as made
from tests.support.signing_keys import NOW

CONTENT = b"0123  a file\n" * 99
needs_gpg = made.wanting("gpg", "gpgv", "gpgconf")


class Home:
    """A folder of gpg's."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.chmod(0o700)

    def gpg(self, *arguments, stdin=b""):
        command = ["gpg", "--batch", "--pinentry-mode", "loopback", *arguments]
        done = subprocess.run(command, env=self.environment, input=stdin, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    @property
    def environment(self):
        return {**os.environ, "GNUPGHOME": str(self.folder)}

    def made(self, name, algorithm="ed25519", passphrase="", usage="sign", expiry="never"):
        self.gpg("--passphrase", passphrase, "--quick-gen-key", name, algorithm, usage, expiry)
        return self.exported(name, passphrase)

    def exported(self, name, passphrase=""):
        return self.gpg("--passphrase", passphrase, "--armor", "--export-secret-keys", name)

    def fingerprint(self, name):
        listed = self.gpg("--with-colons", "--fingerprint", name).decode()
        return re.search(r"^fpr:+([0-9A-F]{40}):", listed, re.MULTILINE)[1]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    # A short path: the agent's socket is in it.
    found = Home(tmp_path_factory.mktemp("g"))
    yield found
    subprocess.run(["gpgconf", "--kill", "all"], env=found.environment, check=False)


def never():
    pytest.fail("no passphrase is needed here")


def opened(tmp_path, content, passphrase=never, at=NOW):
    return openpgp_signer.read(made.private_file(tmp_path / "key.asc", content), passphrase, at=at, warn=pytest.fail)


def refused(tmp_path, content, passphrase=never, at=NOW):
    with pytest.raises(SigningError) as caught:
        opened(tmp_path, content, passphrase, at)
    assert caught.value.do
    assert "backtrace" not in "".join(caught.value.details)
    return " ".join((caught.value.what, *caught.value.details))


def gpgv(tmp_path, signer, content, signature):
    """What gpgv says, and whether it accepts."""
    packets = b"".join(bytes(packet) for packet in PacketPile.from_bytes(signer.certificate))
    for name, held in (("ring", packets), ("content", content), ("content.asc", signature)):
        (tmp_path / name).write_bytes(held)
    command = ["gpgv", "--status-fd", "1", "--keyring", str(tmp_path / "ring"), "content.asc", "content"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    # Sequoia salts its signatures, and gpgv prints the salt as it is.
    return done.stdout.decode("utf-8", "replace"), done.returncode == 0


@needs_gpg
@pytest.mark.parametrize(("algorithm", "passphrase"), [("rsa2048", ""), ("ed25519", "Größe"), ("nistp256", "")])
def test_gpgv_accepts_what_is_signed(tmp_path, home, algorithm, passphrase):
    name = f"{algorithm}@example.org"
    asked = []
    signer = opened(tmp_path, home.made(name, algorithm, passphrase), lambda: asked.append(1) or passphrase)
    assert signer.fingerprint == home.fingerprint(name)
    assert len(asked) == bool(passphrase)
    signature = signer.sign(CONTENT)
    assert signature.startswith(b"-----BEGIN PGP SIGNATURE-----\n")
    said, accepted = gpgv(tmp_path, signer, CONTENT, signature)
    assert accepted
    assert f"VALIDSIG {signer.fingerprint}" in said
    assert not gpgv(tmp_path, signer, CONTENT + b"x", signature)[1]


@needs_gpg
def test_a_signing_subkey_signs_for_its_key(tmp_path, home):
    home.made("sub@example.org", usage="cert")
    primary = home.fingerprint("sub@example.org")
    home.gpg("--passphrase", "", "--quick-add-key", primary, "ed25519", "sign", "never")
    signer = opened(tmp_path, home.exported("sub@example.org"))
    assert signer.fingerprint == primary
    said, accepted = gpgv(tmp_path, signer, CONTENT, signer.sign(CONTENT))
    assert accepted
    assert f" {primary}\n" in said  # VALIDSIG ends with the primary key


@needs_gpg
def test_nothing_secret_is_given_out(tmp_path, home):
    signer = opened(tmp_path, home.made("public@example.org"))
    assert b"PUBLIC KEY BLOCK" in signer.certificate
    tags = [packet.tag for packet in PacketPile.from_bytes(signer.certificate)]
    assert Tag.PublicKey in tags
    assert not any(tag in (Tag.SecretKey, Tag.SecretSubkey) for tag in tags)


@needs_gpg
def test_a_wrong_passphrase_and_none(tmp_path, home):
    key = home.made("locked@example.org", passphrase="right")
    assert "the passphrase does not open" in refused(tmp_path, key, lambda: "wrong")
    assert "hunter2" not in refused(tmp_path, key, lambda: "hunter2")
    assert "no passphrase was given" in refused(tmp_path, key, lambda: "")


@needs_gpg
def test_a_revoked_key(tmp_path, home):
    home.made("revoked@example.org")
    written = home.folder / "openpgp-revocs.d" / f"{home.fingerprint('revoked@example.org')}.rev"
    home.gpg("--import", stdin=written.read_text().replace(":-----BEGIN", "-----BEGIN").encode())
    assert "is revoked" in refused(tmp_path, home.exported("revoked@example.org"))


@needs_gpg
def test_a_key_that_expires(tmp_path, home):
    key = home.made("expires@example.org", expiry="2d")
    assert opened(tmp_path, key).sign(CONTENT)
    assert "expired on" in refused(tmp_path, key, at=NOW + timedelta(days=3))


@needs_gpg
def test_a_key_that_has_expired_really(tmp_path, home):
    key = home.made("expired@example.org", expiry="seconds=1")
    time.sleep(2.5)
    assert "expired on" in refused(tmp_path, key, at=NOW + timedelta(days=1))


@needs_gpg
def test_a_key_that_signs_nothing(tmp_path, home):
    assert "no secret key that can sign now" in refused(tmp_path, home.made("cert@example.org", usage="cert"))


@needs_gpg
def test_a_weak_key(tmp_path, home):
    said = refused(tmp_path, home.made("weak@example.org", "rsa1024"))
    assert "cannot sign" in said
    assert "RSA1024" in said


@needs_gpg
def test_two_keys_and_none(tmp_path, home):
    first, second = home.made("one@example.org"), home.made("two@example.org")
    assert "several OpenPGP blocks" in refused(tmp_path, first + second)
    together = home.gpg("--armor", "--export-secret-keys", "one@example.org", "two@example.org")
    assert "several OpenPGP keys" in refused(tmp_path, together)
    binary = home.gpg("--export-secret-keys", "one@example.org")
    assert opened(tmp_path, binary).fingerprint == home.fingerprint("one@example.org")


def test_a_key_that_gpgv_on_the_targets_does_not_read(tmp_path):
    key = pysequoia.Tsk.generate("six", profile=pysequoia.Profile.RFC9580)
    assert "version 6" in refused(tmp_path, bytes(key))


WEIRD = {
    "empty": (b"", "is empty"),
    "text": (b"hello", "no OpenPGP key"),
    "web page": (b"<html>", "It is a web page"),
    "certificate": (made.certificate_pem(made.certificate(made.key("p256"))), "It is a certificate"),
    "another key": (made.key_pem(made.key("p256")), "--seal-key"),
    "public": (package_signing.Key().armored().encode(), "public OpenPGP key, which cannot sign"),
}


@pytest.mark.parametrize(("content", "word"), WEIRD.values(), ids=WEIRD)
def test_files_that_are_something_else(tmp_path, content, word):
    assert word in refused(tmp_path, content)


def test_a_key_that_everybody_can_read(tmp_path):
    if os.name != "posix":
        pytest.skip("the mode says who may read on POSIX alone")
    place = tmp_path / "key"
    place.write_bytes(bytes(pysequoia.Tsk.generate("open")))
    place.chmod(0o644)
    told = []
    openpgp_signer.read(place, never, at=NOW, warn=told.append)
    assert "chmod 600" in told[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=3))
def test_no_damage_makes_more_than_a_signing_error(tmp_path, changes):
    content = bytearray(_KEY)
    for position, byte in changes:
        content[position % len(content)] = byte
    place = made.private_file(tmp_path / "key", bytes(content))
    try:
        signer = openpgp_signer.read(place, lambda: "word", at=NOW, warn=lambda _: None)
        signature = signer.sign(CONTENT)
    except SigningError:
        return
    assert signature.startswith(b"-----BEGIN PGP SIGNATURE-----")


_KEY = bytes(pysequoia.Tsk.generate("fuzzed"))
