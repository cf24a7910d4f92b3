"""Keys in a SoftHSM token. Each case is a process of its own, because a login lasts as long as its process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from bundler.errors import SigningError
from bundler.signing import token
from bundler.signing.token_uri import TokenUri
from bundler.trust.public_key import verifies
from tests.support import signing_keys as made

PIN = "246810"
CONTENT = b"0123  a file\n"
MODULES = [
    f"/usr/{folder}/softhsm/libsofthsm2.so"
    for folder in ("lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "local/lib")
]
MODULE = next((place for place in MODULES if Path(place).is_file()), "")

needs_softhsm = pytest.mark.skipif(not MODULE, reason="SoftHSM is not installed (softhsm2)")

ASK = """
import json, os, sys
from pathlib import Path
from bundler.errors import BundlerError
from bundler.signing import token_uri
from bundler.signing import token
asked = json.load(sys.stdin)
pins = []
try:
    given = Path(asked["certificate"]) if asked["certificate"] else None
    key = token.read(
        token_uri.parse(asked["uri"]), given, lambda: pins.append(1) or asked["pin"], module=asked["module"]
    )
    signatures = [key.sign(asked["content"].encode()).hex() for _ in range(2)]
    told = {"signatures": signatures, "algorithm": key.algorithm, "certificates": len(key.certificates)}
except BundlerError as error:
    told = {"code": error.exit_code, "what": error.what, "details": list(error.details), "do": error.do}
json.dump({**told, "pins": len(pins)}, sys.stdout)
"""


class Tokens:
    """SoftHSM's folder."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "tokens").mkdir()
        settings = f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
        (folder / "softhsm2.conf").write_text(settings)
        self.environment = {**os.environ, "SOFTHSM2_CONF": str(folder / "softhsm2.conf")}
        self.environment["PYTHONPATH"] = os.pathsep.join(sys.path)

    def tool(self, *arguments):
        done = subprocess.run(
            ["softhsm2-util", *map(str, arguments)], env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def token(self, label):
        self.tool("--init-token", "--free", "--label", label, "--so-pin", "13579111", "--pin", PIN)

    def take(self, label, name, identity, private):
        """Put a key into a token, its public half with it."""
        place = made.private_file(self.folder / "import.pem", made.key_pem(private))
        more = ["--token", label, "--label", name, "--id", identity, "--pin", PIN]
        self.tool("--import", place, *more)

    def certificate(self, name, certificate):
        place = self.folder / f"{name}.crt"
        place.write_bytes(made.certificate_pem(*certificate))
        return place

    def ask(self, uri, certificate=None, *, pin=PIN, module=MODULE):
        asked = {"uri": uri, "certificate": str(certificate or ""), "pin": pin, "module": module}
        asked["content"] = CONTENT.decode()
        command = [sys.executable, "-c", ASK]
        done = subprocess.run(
            command, env=self.environment, input=json.dumps(asked), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *given, **more):
        told = self.ask(*given, **more)
        assert told["code"] == SigningError.exit_code, told
        assert told["do"]
        return " ".join((told["what"], *told["details"], told["do"]))


STORE = """
import pkcs11, sys
from pkcs11 import Attribute, CertificateType, ObjectClass
module, label, pin, identity = sys.argv[1:5]
with pkcs11.lib(module).get_token(token_label=label).open(rw=True, user_pin=pin) as session:
    for place in sys.argv[5:]:
        session.create_object({
            Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.CERTIFICATE_TYPE: CertificateType.X_509,
            Attribute.TOKEN: True, Attribute.LABEL: 'certificate', Attribute.ID: bytes.fromhex(identity),
            Attribute.SUBJECT: b'x', Attribute.VALUE: open(place, 'rb').read(),
        })
"""


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    if not MODULE:
        pytest.skip("SoftHSM is not installed (softhsm2)")
    pytest.importorskip("pkcs11")
    found = Tokens(tmp_path_factory.mktemp("softhsm"))
    found.token("Seals")
    for number, kind in enumerate(made.KINDS, 1):
        found.take("Seals", kind, f"0{number}", made.key(kind))
    found.take("Seals", "twin", "0a", made.key("p256", "left"))
    found.take("Seals", "twin", "0b", made.key("p256", "right"))
    found.take("Seals", "long", "0c", made.key("p521"))
    for name in ("Same", "Same"):
        found.token(name)
    return found


@pytest.mark.parametrize("kind", made.KINDS)
def test_each_kind_of_key_signs(tokens, kind):
    chain = made.chain(kind)
    told = tokens.ask(f"pkcs11:token=Seals;object={kind}", tokens.certificate(kind, chain[::-1]))
    assert told["certificates"] == 3
    assert told["pins"] == 1
    for signature in told["signatures"]:
        assert verifies(chain[0], told["algorithm"], bytes.fromhex(signature), CONTENT)
    if kind == "rsa":
        assert len(set(told["signatures"])) == 1


def test_the_certificate_may_be_in_the_token(tokens):
    assert "no certificate for its key" in tokens.refused("pkcs11:token=Seals;object=twin;id=%0a")
    chain = made.chain("p256")
    chain = (made.certificate(made.key("p256", "left"), issuer=("Middle", made.key("p256", "middle"))), *chain[1:])
    places = []
    for number, one in enumerate(chain):
        places.append(tokens.folder / f"{number}.der")
        places[-1].write_bytes(one.public_bytes(serialization.Encoding.DER))
    command = [sys.executable, "-c", STORE, MODULE, "Seals", PIN, "0a", *map(str, places)]
    subprocess.run(command, env=tokens.environment, check=True)
    told = tokens.ask("pkcs11:token=Seals;object=twin;id=%0a")
    assert told["certificates"] == 3
    assert verifies(chain[0], told["algorithm"], bytes.fromhex(told["signatures"][0]), CONTENT)


def test_the_module_may_be_in_the_address(tokens):
    certificate = tokens.certificate("p256", made.chain("p256"))
    told = tokens.ask(f"pkcs11:token=Seals;id=%02?module-path={MODULE}", certificate, module="")
    assert told["algorithm"] == "ecdsa-sha256"


def test_a_wrong_pin_and_none(tokens):
    certificate = tokens.certificate("rsa", made.chain("rsa"))
    said = tokens.refused("pkcs11:token=Seals;object=rsa", certificate, pin="000000")
    assert "refuses the PIN" in said
    assert "lock themselves" in said
    assert "000000" not in said
    assert "requires a PIN" in tokens.refused("pkcs11:token=Seals;object=rsa", certificate, pin="")


def test_a_module_that_is_not_there_or_none(tokens, tmp_path):
    certificate = tokens.certificate("rsa", made.chain("rsa"))
    assert "cannot be loaded" in tokens.refused("pkcs11:token=Seals", certificate, module=str(tmp_path / "x.so"))
    (tmp_path / "text.so").write_text("hello")
    assert "cannot be loaded" in tokens.refused("pkcs11:token=Seals", certificate, module=str(tmp_path / "text.so"))
    assert "ARC_BUNDLER_PKCS11_MODULE" in tokens.refused("pkcs11:token=Seals", certificate, module="")


def test_no_such_token_and_several(tokens):
    said = tokens.refused("pkcs11:token=Elsewhere;object=rsa")
    assert "no such token" in said
    assert "'Seals'" in said
    assert "several tokens" in tokens.refused("pkcs11:token=Same;object=rsa")


def test_no_such_key_and_several(tokens):
    said = tokens.refused("pkcs11:token=Seals;object=nothing")
    assert "no such private key" in said
    assert "object='rsa';id=%01" in said
    said = tokens.refused("pkcs11:token=Seals;object=twin")
    assert "several keys" in said
    assert "object='twin';id=%0a" in said
    assert "object='twin';id=%0b" in said


@pytest.mark.parametrize("kind", made.KINDS)
def test_a_certificate_of_another_key(tokens, kind):
    other = tokens.certificate("other", [made.certificate(made.key(kind, "other"))])
    assert "does not belong to the key" in tokens.refused(f"pkcs11:token=Seals;object={kind}", other)


def test_a_key_that_does_not_seal(tokens):
    certificate = tokens.certificate("long", [made.certificate(made.key("p521"))])
    assert "secp521r1" in tokens.refused("pkcs11:token=Seals;object=long", certificate)


def test_without_python_pkcs11_the_error_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(SigningError) as caught:
        token.read(TokenUri(), None, lambda: "", module="x")
    assert "arc-bundler[pkcs11]" in caught.value.do


class _Padding:
    """A key of a token that pads and does not hash: the other half of them."""

    def __init__(self, private):
        self.private = private

    def sign(self, data, mechanism):
        from pkcs11 import Mechanism

        assert mechanism == Mechanism.RSA_PKCS
        size = self.private.key_size // 8
        block = b"\0\1" + b"\xff" * (size - len(data) - 3) + b"\0" + data
        numbers = self.private.private_numbers()
        return pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big")


def test_a_token_that_only_pads_gets_the_digest_in_its_frame():
    pytest.importorskip("pkcs11")
    certificate = made.certificate(made.key("rsa"))
    key = token._TokenKey((certificate,), "rsa-sha256", _Padding(made.key("rsa")), hashes_itself=False, pin=None)
    assert verifies(certificate, "rsa-sha256", key.sign(CONTENT), CONTENT)
