"""The commands in ``docs/sealing.md`` work as the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bundler.signing import external_signer, keys
from bundler.trust import certificate_policy
from bundler.trust.public_key import verifies
from tests.support import signing_keys as made

pytestmark = pytest.mark.skipif(os.name != "posix", reason="its examples are for a POSIX shell")

PAGE = (Path(__file__).parents[2] / "docs" / "sealing.md").read_text(encoding="utf-8")


def example(word):
    """The one shell example with that word in it."""
    (found,) = [block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if word in block]
    return found


def shell(text, folder, **environment):
    done = subprocess.run(
        ["sh", "-eu", "-c", text],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@made.wanting("openssl")
@pytest.mark.parametrize("kind", ["RSA", "EC"])
def test_a_key_of_your_own(tmp_path, kind):
    text = example("req -new -x509")
    if kind == "EC":
        (other,) = re.findall(r"`(openssl genpkey -algorithm EC .*?)`", PAGE)
        text = re.sub(r"^openssl genpkey .*$", other, text, flags=re.MULTILINE)
    # The person is asked for the passphrase; a test has no terminal.
    text = text.replace("-aes-256-cbc", "-aes-256-cbc -pass env:WORD").replace("req -new", "req -passin env:WORD -new")
    told = shell(text, tmp_path, WORD="opens it")
    signer = keys.read(
        tmp_path / "seal-key.pem", tmp_path / "seal-certificate.pem", lambda: "opens it", warn=lambda _: None
    )
    certificate_policy.require_usable(signer.certificates[0], (), made.NOW + made.DAY)
    assert verifies(signer.certificates[0], signer.algorithm, signer.sign(b"x"), b"x")
    fingerprint = signer.certificates[0].fingerprint(made.hashes.SHA256()).hex(":").upper()
    assert fingerprint in told


@made.wanting("openssl")
def test_a_request_that_asks_for_the_right_purposes(tmp_path):
    made.private_file(tmp_path / "seal-key.pem", made.key_pem(made.key("rsa")))
    shell(example("seal.csr"), tmp_path)
    told = subprocess.run(
        ["openssl", "req", "-in", "seal.csr", "-noout", "-text"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "Digital Signature" in told
    assert "Code Signing" in told


STAND_IN = """#!{python}
import base64, sys
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
given = dict(zip(sys.argv[4::2], sys.argv[5::2]))
assert sys.argv[1:4] == ['keyvault', 'key', 'sign'], sys.argv
assert given['--id'] == 'https://x.vault.azure.net/keys/arc/1'
key = serialization.load_pem_private_key(open({key!r}, 'rb').read(), None)
digest = base64.b64decode(given['--digest'], validate=True)
algorithms = {{'RS256': hashes.SHA256(), 'ES256': hashes.SHA256(), 'ES384': hashes.SHA384()}}
hashed = utils.Prehashed(algorithms[given['--algorithm']])
if isinstance(key, rsa.RSAPrivateKey):
    signature = key.sign(digest, padding.PKCS1v15(), hashed)
else:
    half = key.key_size // 8
    numbers = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(hashed)))
    signature = b''.join(number.to_bytes(half, 'big') for number in numbers)
print(base64.b64encode(signature).decode())
"""


@made.wanting("openssl")
@pytest.mark.parametrize("kind", made.KINDS)
def test_the_script_for_key_vault_with_a_stand_in_for_az(tmp_path, kind):
    key = made.private_file(tmp_path / "vault.pem", made.key_pem(made.key(kind)))
    (tmp_path / "seal.crt").write_bytes(made.certificate_pem(made.certificate(made.key(kind))))
    for name, text in (
        ("az", STAND_IN.format(python=sys.executable, key=str(key))),
        ("seal-with-key-vault", example("az keyvault key sign")),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "KEY_VAULT_KEY": "https://x.vault.azure.net/keys/arc/1",
    }
    program = str(tmp_path / "seal-with-key-vault")
    signer = external_signer.read(program, tmp_path / "seal.crt", environment=environment, limit=60)
    assert verifies(signer.certificates[0], signer.algorithm, signer.sign(b"content"), b"content")


def test_the_page_names_every_sentence_that_it_explains():
    """The messages in its last table are messages of the code."""
    code = "".join(
        path.read_text(encoding="utf-8")
        for room in ("signing", "trust", "integrity", "formats")
        for path in (Path(__file__).parents[2] / "bundler" / room).glob("*.py")
    )
    table = PAGE.rpartition("| message | reason |")[2]
    for said in re.findall(r"^\| ([^|-]+?) \|", table, re.MULTILINE):
        for part in re.split(r" … | N$", said):
            assert part.strip() in code, part
