"""Signing with an external program: its output formats and failures, with real processes."""

from __future__ import annotations

import base64
import os
import shlex
import sys
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from bundler.errors import SigningError, UsageError
from bundler.formats.signature_encoding import encodings
from bundler.signing import external_signer
from bundler.trust.public_key import verifies
from tests.support import signing_keys as made

CONTENT = b"0123  a file\n"
SIGN = """
import base64, binascii, hashlib, os, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
key = serialization.load_pem_private_key(open(sys.argv[1], 'rb').read(), None)
content = sys.stdin.buffer.read()
algorithm = os.environ['ARC_BUNDLER_ALGORITHM']
digest = hashes.SHA384() if algorithm == 'ecdsa-sha384' else hashes.SHA256()
ready = bytes.fromhex(os.environ['ARC_BUNDLER_DIGEST'])
assert hashlib.new(digest.name, content).digest() == ready
if isinstance(key, rsa.RSAPrivateKey):
    signature = key.sign(ready, padding.PKCS1v15(), utils.Prehashed(digest))
else:
    signature = key.sign(ready, ec.ECDSA(utils.Prehashed(digest)))
out = sys.argv[2]
if out.startswith('numbers'):
    half = (key.key_size + 7) // 8
    signature = b''.join(number.to_bytes(half, 'big') for number in utils.decode_dss_signature(signature))
encode = {'raw': bytes, 'hex': binascii.hexlify, 'base64': base64.encodebytes, 'url': base64.urlsafe_b64encode}
printed = encode[out.split('-')[-1]](signature)
sys.stdout.buffer.write(printed.rstrip(b'=') if out.endswith('url') else printed)
"""


def line(*words):
    """A command line that is split into these words again."""
    return shlex.join(str(word) for word in words)


@pytest.fixture
def program(tmp_path):
    """A command line that runs a Python program."""

    def write(text, *arguments):
        (tmp_path / "sign.py").write_text(text, encoding="utf-8")
        return line(sys.executable, tmp_path / "sign.py", *arguments)

    return write


def signer(tmp_path, text, kind="p256", *, limit=60, environment=os.environ):
    (tmp_path / "seal.crt").write_bytes(made.certificate_pem(made.certificate(made.key(kind))))
    return external_signer.read(text, tmp_path / "seal.crt", environment=environment, limit=limit)


def refused(tmp_path, text, **more):
    with pytest.raises(SigningError) as caught:
        signer(tmp_path, text, **more).sign(CONTENT)
    assert caught.value.exit_code == 8
    assert caught.value.do
    return " ".join((caught.value.what, *caught.value.details))


@pytest.mark.parametrize("out", ["raw", "hex", "base64", "url"])
@pytest.mark.parametrize("kind", made.KINDS)
def test_every_form_of_a_signature(tmp_path, program, kind, out):
    made.private_file(tmp_path / "key", made.key_pem(made.key(kind)))
    key = signer(tmp_path, program(SIGN, tmp_path / "key", out), kind)
    assert verifies(key.certificates[0], key.algorithm, key.sign(CONTENT), CONTENT)


@pytest.mark.parametrize("kind", ["p256", "p384"])
def test_the_two_numbers_side_by_side_as_key_services_print_them(tmp_path, program, kind):
    made.private_file(tmp_path / "key", made.key_pem(made.key(kind)))
    key = signer(tmp_path, program(SIGN, tmp_path / "key", "numbers-url"), kind)
    signature = key.sign(CONTENT)
    assert decode_dss_signature(signature)
    assert verifies(key.certificates[0], key.algorithm, signature, CONTENT)


@made.wanting("openssl")
@pytest.mark.parametrize("kind", made.KINDS)
def test_openssl_is_such_a_program(tmp_path, kind):
    key = made.private_file(tmp_path / "a key", made.key_pem(made.key(kind)))
    digest = "-sha384" if kind == "p384" else "-sha256"
    signed = signer(tmp_path, line("openssl", "dgst", digest, "-sign", key), kind)
    assert signed.sign(CONTENT)


def test_a_program_that_does_not_read_the_file(tmp_path, program):
    """Large enough not to fit into a pipe."""
    text = program("import sys; sys.stdin.close(); print('00')")
    with pytest.raises(SigningError, match="no signature of this key's kind"):
        signer(tmp_path, text).sign(bytes(1 << 20))


def test_secrets_are_removed_from_the_environment_and_the_rest_is_passed(tmp_path, program):
    text = program("import os, sys; sys.exit(' '.join(sorted(n for n in os.environ if n.startswith('ARC_BUNDLER_'))))")
    secrets = ("SEAL_PASSPHRASE", "SCRIPT_PASSPHRASE", "OPENPGP_PASSPHRASE", "PASSWORD", "SECRET")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ARC_BUNDLER_")}
    environment = {**plain, **{f"ARC_BUNDLER_{name}": "x" for name in (*secrets, "MINE")}}
    said = refused(tmp_path, text, environment=environment)
    assert said.endswith(" its output: ARC_BUNDLER_ALGORITHM ARC_BUNDLER_DIGEST ARC_BUNDLER_MINE")


def test_no_shell_has_a_hand_in_it(tmp_path, program):
    mark = tmp_path / "mark"
    text = program("import sys; sys.exit(repr(sys.argv[1:]))") + f" $HOME ; touch {mark} '*'"
    assert f"['$HOME', ';', 'touch', '{mark}', '*']".replace("\\", "\\\\") in refused(tmp_path, text)
    assert not mark.exists()


FAILURES = {
    "fails": ("import sys; sys.exit('vault: 403 Forbidden')", "ended with code 1", "its output: vault: 403 Forbidden"),
    "fails after its signature": ("import sys; print('00' * 70); sys.exit(3)", "ended with code 3", ""),
    "silent": ("", "printed nothing", ""),
    "blank": ("print()", "printed nothing", ""),
    "rubbish": ("print('Signature: yes')", "no signature of this key's kind", ""),
    "json": ('print(\'{"signature": "AAAA"}\')', "no signature of this key's kind", ""),
    "does not verify": ("print('11' * 64)", "does not verify with its certificate", ""),
    "too much": ("print('0' * 70000)", "printed more than", ""),
    "without end": ("\nwhile True: print('0' * 9999)", "printed more than", ""),
    "talks without end": (
        "import sys\nfor n in range(9999): print(n, file=sys.stderr)\nsys.exit(2)",
        "code 2",
        "output: 4",
    ),
    "colours": ("import sys; sys.exit('\\x1b[31mno')", "code 1", "its output: \\x1b[31mno"),
}


@pytest.mark.parametrize(("text", "word", "more"), FAILURES.values(), ids=FAILURES)
def test_programs_that_fail(tmp_path, program, text, word, more):
    said = refused(tmp_path, program(text))
    assert word in said
    assert more in said
    assert len(said) < 2000


def test_a_signature_over_other_bytes(tmp_path, program):
    made.private_file(tmp_path / "key", made.key_pem(made.key("rsa")))
    text = program(SIGN.replace("key.sign(ready", "key.sign(ready[::-1]"), tmp_path / "key", "raw")
    assert "does not verify with its certificate" in refused(tmp_path, text, kind="rsa")


def test_one_that_hangs_is_ended_with_its_children(tmp_path, program):
    """The child would write a file a moment later."""
    mark = tmp_path / "mark"
    child = f"import time; time.sleep(4); open({str(mark)!r}, 'w').close()"
    text = program(f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}])\ntime.sleep(60)")
    begun = time.monotonic()
    assert "did not end within 2 seconds" in refused(tmp_path, text, limit=2)
    assert time.monotonic() - begun < 30
    time.sleep(3)
    assert not mark.exists()


def test_one_that_leaves_a_child_with_its_output(tmp_path, program):
    child = "import time; time.sleep(60)"
    text = program(f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {child!r}])\nprint('00')")
    begun = time.monotonic()
    assert "did not end within 2 seconds" in refused(tmp_path, text, limit=2)
    assert time.monotonic() - begun < 30


def test_one_that_is_not_there_or_no_program(tmp_path):
    assert "does not start" in refused(tmp_path, line(tmp_path / "nowhere"))
    if os.name == "posix":
        (tmp_path / "text").write_text("hello")
        assert "does not start" in refused(tmp_path, line(tmp_path / "text"))


@pytest.mark.parametrize("text", ["'open", "", "  ", "a\0b"])
def test_invalid_command_lines(tmp_path, text):
    with pytest.raises(UsageError, match="the sealing command"):
        signer(tmp_path, text)


def test_which_certificate_is_the_signers(tmp_path):
    chain = made.chain("p256")
    (tmp_path / "chain").write_bytes(made.certificate_pem(*chain[::-1]))
    key = external_signer.read("signer", tmp_path / "chain", environment={}, limit=1)
    assert key.certificates == chain
    (tmp_path / "two").write_bytes(made.certificate_pem(chain[0], made.certificate(made.key("rsa"), "Another")))
    with pytest.raises(SigningError, match="several certificates that may be the signer"):
        external_signer.read("signer", tmp_path / "two", environment={}, limit=1)


@settings(max_examples=200, deadline=None)
@given(printed=st.one_of(st.binary(max_size=200), st.text(max_size=90).map(str.encode)))
def test_nothing_that_is_printed_breaks_its_reader(printed):
    for kind in made.KINDS:
        certificate = made.certificate(made.key(kind))
        for signature in encodings(printed, certificate):
            assert not verifies(
                certificate, external_signer.certificate_policy.algorithm_of(certificate), signature, CONTENT
            )


@settings(max_examples=50, deadline=None)
@given(signature=st.binary(min_size=256, max_size=256))
def test_every_form_is_read_back(signature):
    """An RSA signature may be any bytes, also such as look like text."""
    certificate = made.certificate(made.key("rsa"))
    forms = (signature, signature.hex().encode(), base64.b64encode(signature), base64.urlsafe_b64encode(signature))
    for printed in forms:
        assert list(encodings(printed, certificate)) == [signature]
