"""The signing options: which go together, where secrets come from, and that no output contains one."""

from __future__ import annotations

import base64
import os
import shlex
import sys
from datetime import timedelta

import pysequoia
import pytest
from click.testing import CliRunner

from bundler.cli.console import Console, define_command
from bundler.cli.signing_options import SealSettings, seal_options, sealer
from bundler.errors import BundlerError, SigningError, UsageError
from bundler.trust.public_key import verifies
from tests.support import signing_keys as made

NOTHING = SealSettings(
    seal_key=None,
    seal_certificate=None,
    seal_passphrase_file=None,
    seal_pkcs11=None,
    seal_command=None,
    seal_timeout=60.0,
    openpgp_key=None,
    openpgp_passphrase_file=None,
)


def console(now=made.NOW, **environment):
    return Console("text", False, 0, False, now, environment)


def chosen(**given):
    return SealSettings(**{**vars(NOTHING), **given})


@pytest.fixture
def files(tmp_path):
    """A sealing key that is encrypted, its certificate, an OpenPGP key, and passphrases."""
    made.private_file(tmp_path / "seal.key", made.key_pem(made.key("p256"), "opens it"))
    (tmp_path / "seal.crt").write_bytes(made.certificate_pem(made.certificate(made.key("p256"))))
    made.private_file(tmp_path / "pgp", bytes(pysequoia.Tsk.generate("lab")))
    (tmp_path / "passphrase").write_text("opens it\n", encoding="utf-8")
    return tmp_path


def test_none_is_chosen():
    assert sealer(console(), NOTHING) is None


def test_a_key_and_an_openpgp_key(files):
    found = sealer(
        console(),
        chosen(
            seal_key=files / "seal.key",
            seal_certificate=files / "seal.crt",
            seal_passphrase_file=files / "passphrase",
            openpgp_key=files / "pgp",
        ),
    )
    assert verifies(found.key.certificates[0], found.key.algorithm, found.key.sign(b"x"), b"x")
    assert found.openpgp.sign(b"x").startswith(b"-----BEGIN PGP SIGNATURE")


def test_the_passphrase_from_its_variable_and_from_nowhere(files):
    pair = {"seal_key": files / "seal.key", "seal_certificate": files / "seal.crt"}
    assert sealer(console(ARC_BUNDLER_SEAL_PASSPHRASE="opens it"), chosen(**pair))
    with pytest.raises(SigningError, match="no passphrase was given"):
        sealer(console(), chosen(**pair))
    with pytest.raises(SigningError, match="does not open"):
        sealer(console(ARC_BUNDLER_SEAL_PASSPHRASE="opens it "), chosen(**pair))


def test_the_file_goes_before_the_variable(files):
    given = chosen(
        seal_key=files / "seal.key", seal_certificate=files / "seal.crt", seal_passphrase_file=files / "passphrase"
    )
    assert sealer(console(ARC_BUNDLER_SEAL_PASSPHRASE="wrong"), given)


@pytest.mark.parametrize(("content", "word"), [(None, "cannot be read"), (b"\xff\xfesecret", "is not UTF-8")])
def test_a_passphrase_file_that_is_none(files, content, word):
    place = files / "other"
    if content is not None:
        place.write_bytes(content)
    with pytest.raises(UsageError, match=word) as caught:
        sealer(
            console(),
            chosen(seal_key=files / "seal.key", seal_certificate=files / "seal.crt", seal_passphrase_file=place),
        )
    assert "secret" not in repr(caught.value.__context__ if caught.value.__cause__ else caught.value)


def test_an_unused_passphrase_file_is_not_read(files):
    made.private_file(files / "open.key", made.key_pem(made.key("p256")))
    given = chosen(
        seal_key=files / "open.key", seal_certificate=files / "seal.crt", seal_passphrase_file=files / "nowhere"
    )
    assert sealer(console(), given)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"seal_key": 1, "seal_pkcs11": 1}, "--seal-key and --seal-pkcs11 are given together"),
        ({"seal_key": 1, "seal_command": 1, "seal_certificate": 1}, "--seal-key and --seal-command"),
        ({"seal_pkcs11": 1, "seal_command": 1, "seal_key": 1}, "--seal-key and --seal-pkcs11 and --seal-command"),
        ({"seal_certificate": 1}, "without a signing key"),
        ({"seal_passphrase_file": 1}, "without a signing key"),
        ({"openpgp_key": 1}, "without a signing key"),
        ({"seal_command": 1}, "--seal-command needs the certificate"),
        ({"seal_command": 1, "seal_certificate": 1, "seal_passphrase_file": 1}, "takes no passphrase"),
        ({"openpgp_passphrase_file": 1, "seal_key": 1}, "without its key"),
    ],
)
def test_what_contradicts_itself(given, word):
    with pytest.raises(UsageError) as caught:
        sealer(console(), chosen(**given))
    assert word in caught.value.what
    assert caught.value.do
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("days", "word"), [(400, "it was valid until"), (-2, "it is valid from")])
def test_a_certificate_at_the_wrong_time(files, days, word):
    given = chosen(
        seal_key=files / "seal.key", seal_certificate=files / "seal.crt", seal_passphrase_file=files / "passphrase"
    )
    with pytest.raises(SigningError) as caught:
        sealer(console(made.NOW + timedelta(days=days)), given)
    assert caught.value.exit_code == 8
    assert any(word in line for line in caught.value.details)


def test_a_certificate_for_another_purpose(files):
    unfit = made.certificate(made.key("p256"), extensions=(made.usage(key_agreement=True),))
    (files / "seal.crt").write_bytes(made.certificate_pem(unfit))
    with pytest.raises(SigningError, match="is not valid for sealing a bundle"):
        sealer(
            console(ARC_BUNDLER_SEAL_PASSPHRASE="opens it"),
            chosen(seal_key=files / "seal.key", seal_certificate=files / "seal.crt"),
        )


def test_a_command_gets_the_environment_of_the_run(files):
    signature = made.key("p256").sign(b"x", made.ec.ECDSA(made.hashes.SHA256()))
    program = "import os; print(os.environ['MINE'])"
    command = shlex.join([sys.executable, "-c", program])
    environment = {**os.environ, "MINE": base64.b64encode(signature).decode()}
    found = sealer(console(**environment), chosen(seal_command=command, seal_certificate=files / "seal.crt"))
    assert found.key.sign(b"x") == signature


def test_a_pin_in_the_address_is_refused(files):
    with pytest.raises(UsageError, match="pin-value") as caught:
        sealer(console(), chosen(seal_pkcs11="pkcs11:token=x?pin-value=987654"))
    assert "987654" not in caught.value.what


def test_the_options_on_a_command_and_from_variables(files):
    seen = []

    @define_command("sign", "arc-bundler sign")
    @seal_options
    def command(sealing):
        seen.append(sealing)

    flags = ["--seal-key", "k", "--seal-certificate", "c", "--openpgp-key", "o", "--seal-timeout", "5"]
    assert CliRunner().invoke(command, flags).exit_code == 0
    assert (str(seen[0].seal_key), seen[0].seal_timeout, seen[0].seal_pkcs11) == ("k", 5.0, None)
    variables = {"ARC_BUNDLER_SEAL_PKCS11": "pkcs11:x", "ARC_BUNDLER_SEAL_KEY": ""}
    assert CliRunner().invoke(command, [], env=variables).exit_code == 0
    assert (seen[1].seal_pkcs11, seen[1].seal_key) == ("pkcs11:x", None)
    told = CliRunner().invoke(command, ["--help"]).output
    for name in ("--seal-key", "--seal-certificate", "--seal-passphrase-file", "--seal-pkcs11", "--seal-command"):
        assert name in told
    assert "ARC_BUNDLER_SEAL_PASSPHRASE" in told


def test_an_open_key_file_is_a_warning_on_standard_error(files, capsys):
    if os.name != "posix":
        pytest.skip("the mode says who may read on POSIX alone")
    (files / "seal.key").chmod(0o644)
    given = chosen(seal_key=files / "seal.key", seal_certificate=files / "seal.crt")
    assert sealer(console(ARC_BUNDLER_SEAL_PASSPHRASE="opens it"), given)
    told = capsys.readouterr()
    assert told.err.startswith("warning: every user of this computer can read the key")
    assert told.out == ""


def test_every_error_is_a_bundler_error(files):
    """Whatever paths are given."""
    for place in (files, files / "nowhere", files / "pgp"):
        with pytest.raises(BundlerError):
            sealer(console(), chosen(seal_key=place, seal_certificate=place))
