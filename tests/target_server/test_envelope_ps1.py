"""install.ps1 -Envelope on a Windows of folders: the secret gets to the agent, and nowhere else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from tests.support import envelope_cases as cases
from tests.support import sample_bundles as sample
from tests.support import sealed_bundles as sealed
from tests.support.sealers import NOW
from tests.support.windows_bench import HOST, outcomes

RECIPE = sealed.Recipe(sealer=cases.SEALER, lab=True, pins=(sample.MSI,))
CERTIFIED = replace(RECIPE, parameters=cases.CERTIFIED)
# Besides its parameters the stand-in keeps the certificate that they name.
NOTING = """    grep -o '"service-principal-cert": "[^"]*"' "$3" | cut -d'"' -f4 | while read -r one; do
        cp "$one" '{root}/certificate'; printf '%s' "$one" >'{root}/certificate-path'
    done
"""


def lay(server, given: cases.Given, recipe=RECIPE, *, key=True) -> Path:
    """A sealed bundle, and an envelope with its key beside it."""
    shutil.rmtree(server / "bundle")
    sealed.write(server / "bundle", recipe)
    agent = server / "stand-in/azcmagent.exe"
    before = f"    cp \"$3\" '{server.root}/arrived'\n"
    assert before in agent.read_text()
    agent.write_text(agent.read_text().replace(before, before + NOTING.format(root=server.root)))
    path = server / "it's.envelope"
    path.write_bytes(given.envelope)
    if key:
        path.with_name(f"{path.name}.p12").write_bytes(given.key)
    return path


def give(server, given: cases.Given, way: str = "variable"):
    """Arguments, and what else a run gets, for the passphrase."""
    if way == "file":
        (server / "words").write_bytes(b"\xef\xbb\xbf" + given.passphrase.encode() + b"\r\n")
        return ("-PassphraseFile", str(server / "words")), {}
    if way == "stdin":
        return ("-PassphraseStdin",), {"stdin": given.passphrase.encode() + b"\r\n"}
    return (), {"environment": {"ARC_BUNDLER_ENVELOPE_PASSPHRASE": given.passphrase}}


def run(server, path: Path, given: cases.Given, *more: str, way: str = "variable"):
    arguments, others = give(server, given, way)
    return server.run("-Envelope", str(path), *arguments, *more, **others)


def nothing_left(server, said: str, *marks: bytes) -> None:
    for name in ("arrived", "certificate", "words"):
        (server / name).unlink(missing_ok=True)
    for mark in (cases.MARK, *marks):
        assert mark not in said.encode()
        assert [path for path, content in server.files().items() if mark in content] == []
    assert b"ARC_BUNDLER_ENVELOPE" not in (server / "environments").read_bytes()
    assert list((server / "Data/arc-bundler").glob("work-*")) == []


def untouched(server) -> bool:
    return not (server / "msiexec").exists() and not (server / "arrived").exists()


@pytest.mark.parametrize("way", ["file", "stdin", "variable"])
def test_the_secret_gets_nowhere_but_to_the_agent(server, way):
    given = cases.by_passphrase()
    path = lay(server, given)
    ended = run(server, path, given, way=way)
    assert ended.code == 0, ended.out
    assert outcomes(ended) == ["ok"] * 7
    assert json.loads((server / "arrived").read_bytes())["service-principal-secret"] == cases.SECRET
    assert "is no longer needed on this machine: delete it (or use -DestroyEnvelope)" in ended.out
    assert path.exists()
    steps = {step["name"]: step["message"] for step in server.receipt()["steps"]}
    assert "the secret came from the envelope, valid until " in steps["preflight"]
    nothing_left(server, ended.out, given.passphrase.encode())


# What the policy "Turn on Module Logging" has Windows write into its event log (4103): what a cmdlet is given.
LOGGING = """
$global:RealNewObject = Get-Command New-Object
function New-Object([string]$TypeName, [object[]]$ArgumentList, $Property) {{
    [IO.File]::AppendAllText('{root}/events', $TypeName + ' ' + ($ArgumentList -join ', ') + "`n")
    & $global:RealNewObject @PSBoundParameters
}}
"""


def test_the_passphrase_is_in_no_event_log(server):
    given = cases.by_passphrase()
    path = lay(server, given)
    (server / "logging.ps1").write_text(LOGGING.format(root=server.root))
    arguments, more = give(server, given)
    ended = server.run("-Envelope", str(path), *arguments, prelude="logging.ps1", **more)
    assert ended.code == 0, ended.out
    assert "System.Security.Cryptography.Pkcs.EnvelopedCms" in (server / "events").read_text()
    nothing_left(server, ended.out, given.passphrase.encode())


def test_an_access_token(server):
    given = cases.to(kind="token")
    ended = run(server, lay(server, given, replace(RECIPE, parameters=sample.TOKEN)), given)
    assert ended.code == 0, ended.out
    assert json.loads((server / "arrived").read_bytes())["access-token"] == cases.SECRET
    nothing_left(server, ended.out)


@pytest.mark.parametrize(
    ("content", "named"),
    [(cases.PEM, ""), (b"0\x82\0\xff\ncAn4ry\0\n\n", "C:\\arc\\sp.pfx")],
    ids=["PEM", "PKCS 12 instead of the definition's"],
)
def test_a_certificate_lies_on_the_disk_while_the_agent_reads_it(server, content, named):
    given = cases.to(kind="certificate", secret=content)
    recipe = replace(CERTIFIED, parameters=replace(cases.CERTIFIED, certificate_file=named))
    ended = run(server, lay(server, given, recipe), given)
    assert ended.code == 0, ended.out
    assert (server / "certificate").read_bytes() == content
    place = Path((server / "certificate-path").read_text())
    assert place.parent.name.startswith("work-")
    assert place.suffix == (".pem" if content == cases.PEM else ".pfx")
    nothing_left(server, ended.out)


def test_a_certificate_is_missing_without_envelope(server):
    lay(server, cases.to(), CERTIFIED)
    ended = server.run()
    assert ended.code == 203, ended.out
    assert "comes in an envelope: -Envelope FILE" in ended.out
    assert untouched(server)


def test_a_certificate_store_holds_the_key(server):
    """.NET's own store of a user, which lies in files here."""
    given, own = cases.to("the machine"), cases.server("the machine")
    store = server / "home/.dotnet/corefx/cryptography/x509stores/my"
    store.mkdir(parents=True)
    held = pkcs12.serialize_key_and_certificates(None, own.key, own.certificate, None, NoEncryption())
    file = store / f"{own.certificate.fingerprint(hashes.SHA1()).hex().upper()}.pfx"
    file.write_bytes(held)
    file.chmod(0o600)
    path = lay(server, given, key=False)
    ended = server.run("-Envelope", str(path), environment={"HOME": str(server / "home")})
    assert ended.code == 0, ended.out
    assert json.loads((server / "arrived").read_bytes())["service-principal-secret"] == cases.SECRET
    assert file.read_bytes() == held
    file.unlink()
    again = server.run("-Envelope", str(path), "-CheckOnly", environment={"HOME": str(server / "home")})
    assert again.code == 0, again.out


def test_nothing_here_opens_it(server):
    path = lay(server, cases.to(), key=False)
    ended = server.run("-Envelope", str(path))
    assert ended.code == 203, ended.out
    assert "no key opens the envelope" in ended.out
    assert untouched(server)


def test_a_named_key_is_never_destroyed(server):
    given = cases.to()
    path = lay(server, given)
    own = path.with_name("own.pfx")
    path.with_name(f"{path.name}.p12").rename(own)
    ended = run(server, path, given, "-RecipientKey", str(own), "-DestroyEnvelope")
    assert ended.code == 0, ended.out
    assert not path.exists()
    assert own.read_bytes() == given.key


def test_destroyed_with_the_key_beside_it(server):
    given = cases.by_passphrase("modern")
    path = lay(server, given)
    ended = run(server, path, given, "-DestroyEnvelope")
    assert ended.code == 0, ended.out
    assert list(server.root.glob("it's*")) == []


def test_looking_opens_it_and_changes_nothing(server):
    given = cases.to()
    path = lay(server, given)
    before = server.files()
    ended = run(server, path, given, "-CheckOnly", "-DestroyEnvelope")
    assert ended.code == 0, ended.out
    assert "came from the envelope" in ended.out
    assert server.files() == before
    refused = run(server, path, replace(given, passphrase="wrong"), "-CheckOnly")
    assert refused.code == 203, refused.out
    assert run(server, path, given, "-WhatIf").code == 0
    assert server.files() == before


REFUSED = {
    "expired": (lambda: cases.to(expires=NOW - timedelta(minutes=1)), "the envelope expired on"),
    "a page": (lambda: replace(cases.to(), envelope=b"<html>"), "is not an envelope"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_leaves_the_machine_as_it_was(server, name):
    make, why = REFUSED[name]
    given = make()
    ended = run(server, lay(server, given), given, "-DestroyEnvelope")
    assert ended.code == 203, ended.out
    assert why in ended.out
    assert untouched(server)
    assert server.receipt()["code"] == 203
    assert (server / "it's.envelope").exists()


def test_a_bundle_that_nobody_sealed(server):
    given = cases.to()
    ended = run(server, lay(server, given, replace(RECIPE, sealer=None)), given)
    assert ended.code == 203, ended.out
    assert "this bundle is not sealed" in ended.out


@pytest.mark.parametrize("which", ["secret", "certificate"])
def test_killed_while_connecting_the_next_run_cleans_up(server, which):
    held = cases.PEM if which == "certificate" else cases.SECRET.encode()
    given = cases.to(kind=which, secret=held)
    path = lay(server, given, CERTIFIED if which == "certificate" else RECIPE)
    (server / "slow").touch()
    arguments, more = give(server, given)
    process = server.start("-Envelope", str(path), *arguments, **more)
    waited = time.monotonic() + 30
    while not (server / "connecting").exists():
        assert process.poll() is None
        assert time.monotonic() < waited
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    (server / "slow").unlink()
    for name in ("arrived", "certificate"):
        (server / name).unlink(missing_ok=True)
    left = [Path(file).parent.name for file, content in server.files().items() if cases.MARK in content]
    assert left
    assert {name.split("-")[0] for name in left} == {"work"}
    ended = run(server, path, given)
    assert ended.code == 0, ended.out
    nothing_left(server, ended.out)


@pytest.mark.parametrize(
    "arguments",
    [
        ("-PassphraseStdin",),
        ("-DestroyEnvelope",),
        ("-Envelope", "x", "-SecretStdin"),
    ],
)
def test_a_wrong_call_is_told(server, arguments):
    ended = server.run(*arguments)
    assert ended.code == 205, ended.out


def test_uninstalling_signs_in_by_it(server):
    given = cases.to()
    path = lay(server, given)
    assert run(server, path, given).code == 0
    held = {"subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-arc", "resourceName": HOST}
    (server / "shown").write_text(json.dumps({"status": "Connected", **held}))
    server.install_agent(sample.WINDOWS_VERSION)
    ended = run(server, path, given, "-Uninstall")
    assert ended.code == 0, ended.out
    assert json.loads((server / "left").read_bytes())["service-principal-secret"] == cases.SECRET
    (server / "left").unlink()
    nothing_left(server, ended.out)


def test_a_bundle_that_holds_its_secret(server):
    recipe = replace(
        RECIPE,
        parameters=replace(sample.SECRET, embedded_secret="config/secret"),
        extra={},
    )
    shutil.rmtree(server / "bundle")
    sealed.write(server / "bundle", replace(recipe, sealer=None))
    (server / "bundle/config/secret").write_text(cases.SECRET + "\n", encoding="utf-8")
    ended = server.run()
    assert ended.code == 0, ended.out
    assert json.loads((server / "arrived").read_bytes())["service-principal-secret"] == cases.SECRET
    assert "the secret came from the bundle" in ended.out
    assert "this bundle holds the secret (config/secret): destroy it" in ended.out
    (server / "bundle/config/secret").unlink()
    nothing_left(server, ended.out)
