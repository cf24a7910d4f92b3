"""What install.ps1 says of chains below a new root, of its names with other keys, and of negative serial numbers."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from bundler.formats import certificate
from bundler.lab import tls_chains
from bundler.lab.behaviour import Certificate
from bundler.lab.certificate_forms import describe
from bundler.lab.key_store import Identity, KeyStore
from bundler.lab.tls_chains import NEW_ROOT
from bundler.products.arc_server.script_parameters import NeededRoot
from bundler.render.template_files import templates
from tests.support import sample_bundles as sample
from tests.target_server.test_preflight_ps1 import check, listening, look, tls

SINCE = datetime.now(timezone.utc)
KINDS: tuple[Certificate, ...] = (
    "good", "new-root", "new-root-unbridged", "new-root-impostor", "negative-serial",
)  # fmt: skip
OF = "says it is of Microsoft Corporation; its root"


class Chains:
    """Servers with the lab's chains, and the CAs to trust."""

    def __init__(self, folder):
        self.folder, self.keys = folder, KeyStore(folder)
        key = self.keys.curve("root")
        described = describe("LAB TLS Root", key, None, SINCE, timedelta(days=99), path_length=2)
        self.root = Identity(self.keys.certificate("root", described, key), key)
        self.older = folder / "older.pem"
        self.older.write_text(self.root.pem())
        self.both = folder / "both.pem"
        self.both.write_text(self.root.pem() + tls_chains.new_root(self.root, SINCE, self.keys).root.pem())

    def served(self, kind: Certificate) -> bytes:
        return tls_chains.served(kind, self.root, SINCE, self.keys, ("localhost",))

    @contextmanager
    def serving(self) -> Iterator[dict[str, int]]:
        """A port for each kind."""
        with ExitStack() as stack:
            ports = {}
            for kind in KINDS:
                file = self.folder / f"{kind}.served.pem"
                file.write_bytes(self.served(kind))
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(file)
                ports[kind] = stack.enter_context(listening(tls(context)))
            yield ports


@pytest.fixture(scope="module")
def chains(tmp_path_factory) -> Chains:
    return Chains(tmp_path_factory.mktemp("chains"))


def test_what_a_chain_means(server, chains):
    """Only the older root is known here: a bridge is enough, its absence is told by the missing root's name."""
    needed = NeededRoot(name=NEW_ROOT, sha1="0" * 40, needed_for="azure-tls", required=False, soon=True)
    with chains.serving() as ports:
        checks = tuple(check(port) for port in ports.values())
        parameters = replace(sample.SECRET, checks=checks, roots=(needed,))
        ended, receipt, rows = look(server, parameters, trusted=chains.older)
    found = {kind: rows["localhost", port] for kind, port in ports.items()}
    assert ended.code == receipt["code"] == 208, ended.out
    assert {kind: row["verdict"] for kind, row in found.items()} == {
        "good": "ok", "new-root": "ok", "new-root-unbridged": "failed", "new-root-impostor": "failed",
        "negative-serial": "ok",
    }  # fmt: skip
    for kind in ("new-root-unbridged", "new-root-impostor"):
        assert found[kind]["message"] == f"{OF} {NEW_ROOT} is missing here"
    assert f"to add {NEW_ROOT}: let the bundle carry it" in ended.out
    assert ended.out.count(f"to add {NEW_ROOT}") == 1  # for both endpoints
    assert f"WARNING: the trust store lacks the root {NEW_ROOT}" in ended.out
    serial = "WARNING: certificates with negative serial numbers: localhost (by LAB TLS Root); agents from 1.73"
    assert serial in ended.out.replace("\n", "")


def test_it_is_whole_where_the_new_root_is_known_and_another_key_is_not(server, chains):
    with chains.serving() as ports:
        parameters = replace(sample.SECRET, checks=tuple(check(port) for port in ports.values()))
        _, _, rows = look(server, parameters, trusted=chains.both)
    bad = {kind for kind, port in ports.items() if rows["localhost", port]["verdict"] != "ok"}
    assert bad == {"new-root-impostor"}


PART = """
$script:Utf8 = New-Object System.Text.UTF8Encoding $false
$script:CarriedCertificates = @(@{ Name = 'Carried Root' })
$script:UsualIssuers = 'O="?(Microsoft Corporation|DigiCert,? Inc)'
$script:NegativeSerialsRefused = '1.73'
$script:Stored = @('AA')
function Test-Stored($Store, $Sha1) { Test-OneOf $Sha1 $script:Stored }
function Add-LogLine($Text) { }
function Get-Reason($Problem) { [string]$Problem }
$script:NeededRoots = @(@{ Name = 'Known Root'; Sha1 = 'AA' }, @{ Name = 'Lacking Root'; Sha1 = 'BB' })
$cases = [IO.File]::ReadAllText('CASES') | ConvertFrom-Json
$told = @()
foreach ($case in $cases) {
    $row = New-NetworkRow @{ Host = 'h'; Port = 443; Required = $true; Expects = 'any'; Way = 'direct'; Feature = '' }
    $row.Issuer = $case.issuer
    $row.Verdict = 'ok'
    $script:Target = @{ PackageVersion = $case.version }
    $script:Seen = @{ Status = $case.status; SelfSigned = $case.self; End = $case.end; Negative = $case.negative }
    if ($case.status) { Set-UntrustedVerdict $row } else { Set-SerialVerdict $row }
    $told += ($row.Verdict + '|' + $row.Message)
}
foreach ($der in [IO.File]::ReadAllLines('DERS')) {
    $told += [string](Test-NegativeSerial ([Convert]::FromBase64String($der)))
}
$told += Get-RootSource 'Carried Root'
[IO.File]::WriteAllLines('ANSWERS', [string[]]$told)
"""
SHARED = ("text.ps1", "versions.ps1", "presented_chain.ps1", "network.ps1")


def test_the_verdicts_and_the_sign_of_serial_numbers(powershell, chains, tmp_path):
    """A table in one process."""
    microsoft, digicert, company = "CN=x, O=Microsoft Corporation, C=US", "CN=y, O=DigiCert Inc, C=US", "CN=Contoso CA"

    def case(issuer, status="", end="", *, own=False, negative="", version="1.67.1"):
        return {"issuer": issuer, "status": status, "end": end, "self": own, "negative": negative, "version": version}

    inspected = "which this machine does not trust: a root is missing, or TLS is inspected"
    table = [
        (case(microsoft, "PartialChain", "CN=Lacking Root, O=M"), f"{OF} Lacking Root is missing here"),
        (case(microsoft, "PartialChain", "CN=Other, O=x"), f"{OF} Other is missing here"),
        (
            case(microsoft, "PartialChain", microsoft),
            "says it is of Microsoft Corporation; the root of its issuer x is missing here",
        ),
        (case(digicert, "UntrustedRoot", "CN=G9"), "says it is of DigiCert Inc; its root G9 is missing here"),
        (case(microsoft, "PartialChain", "CN=Known Root"), "but not issued by the root Known Root: TLS is inspected"),
        (case(company, "PartialChain", "CN=Contoso Root"), inspected),
        (case(company, "PartialChain", "CN=Lacking Root, O=Microsoft Corporation"), inspected),
        (case(microsoft, "UntrustedRoot", microsoft, own=True), inspected),
        (case(microsoft, "NotSignatureValid", "CN=Lacking Root"), inspected),
        (case(microsoft), "ok|"),
        (case(company, negative="CN=Contoso CA"), "ok|"),
        (case(company, negative="CN=Contoso CA", version="1.73.03600.1"), "a negative serial number by Contoso CA"),
        (case(company, negative="CN=Contoso CA", version="1.72.9"), "ok|"),
    ]
    ders = [b"".join(_ders(chains.served(kind))[:1]) for kind in KINDS]
    hexes = ("300a3008a003020102020180", "300a3008a00302010202017f", "3006300402028001", "", "30")
    made = [bytes.fromhex(text) for text in hexes]
    wanted = [kind == "negative-serial" for kind in KINDS] + [True, False, True, False, False]
    (tmp_path / "cases").write_text(json.dumps([one for one, _ in table]))
    (tmp_path / "ders").write_text("".join(f"{base64.b64encode(der).decode()}\n" for der in [*ders, *made]))
    parts = [(templates() / "runtime/windows" / name).read_text() for name in SHARED]
    parts.append((templates() / "arc-server/runtime/windows/certificate_verdicts.ps1").read_text())
    text = "".join(parts) + PART
    for word in ("CASES", "DERS", "ANSWERS"):
        text = text.replace(f"'{word}'", f"'{tmp_path / word.lower()}'")
    (tmp_path / "ask.ps1").write_text(text)
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", tmp_path / "ask.ps1"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    answers = (tmp_path / "answers").read_text().splitlines()
    for (one, words), answer in zip(table, answers, strict=False):
        assert words in answer, one
        assert answer.startswith("ok|") == words.startswith("ok|"), one
    assert answers[len(table) : -1] == [str(each) for each in wanted]
    assert answers[-1] == "the bundle has it, start with -InstallCertificates"


def _ders(document: bytes) -> list[bytes]:
    return list(certificate.in_pem(document))
