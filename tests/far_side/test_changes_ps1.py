"""What install.ps1 changes besides the agent, and takes back; what it looks at on the machine itself."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import uuid
from dataclasses import replace

import pytest
import sample_bundles as sample
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from far_side_windows import CANARY, FRAMEWORK, UNINSTALL, Server, write_bundle
from test_preflight_ps1 import Issuer

from bundler.lab.identity import LocalIdentity
from bundler.model.host_record import HostRecord
from bundler.products.arc_server.onboarding import CarriedCertificate, Identity

HOSTS = b"127.0.0.1 localhost\r\n# \x83\x65\x83\x58\x83\x67 in code page 932"
SESSION = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager"
ENVIRONMENT = SESSION + "\\Environment"
BUSY = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending"

NET = """#!/bin/bash
printf '%s|' "$@" >>'{root}/net'
case $3 in '') cat '{root}/members' 2>/dev/null || exit 2 ;; nobody) exit 1 ;; esac
if [[ $4 == /add ]]; then printf '%s\\r\\n' "$3" >>'{root}/members'; fi
if [[ $4 == /delete ]]; then
    grep -vF "$3" '{root}/members' >'{root}/left-members'
    mv '{root}/left-members' '{root}/members'
fi
"""


def tool(server: Server, name: str, text: str) -> None:
    path = server / "Windows/System32" / name
    path.write_text(text.format(root=server.root))
    path.chmod(0o755)


def changes(server: Server) -> list[dict]:
    file = server / "Data/arc-bundler/changes.json"
    return json.loads(file.read_bytes())["changes"] if file.exists() else []


def test_the_hosts_file_gets_its_lines_and_loses_them(server):
    records = (
        HostRecord(host="gbl.his.arc.azure.com", address="10.0.0.4"),
        HostRecord(host="x.example", address="fd00::1"),
    )
    write_bundle(server / "bundle", replace(sample.SECRET, hosts_records=records))
    hosts = server / "Windows/System32/drivers/etc/hosts"
    hosts.parent.mkdir(parents=True)
    hosts.write_bytes(HOSTS)
    assert server.run("-CheckOnly", "-WriteHosts", *server.secret()).code == 0
    assert hosts.read_bytes() == HOSTS
    for _ in range(2):
        ended = server.run("-WriteHosts", *server.secret())
        assert ended.code == 0, ended.out
        assert hosts.read_bytes() == (
            HOSTS + b"\r\n# BEGIN arc-bundler arc-tokyo\r\n10.0.0.4 gbl.his.arc.azure.com\r\n"
            b"fd00::1 x.example\r\n# END arc-bundler arc-tokyo\r\n"
        )
    assert hosts.with_name("hosts.arc-bundler.bak").read_bytes() == HOSTS
    assert server.receipt()["switches"] == ["-WriteHosts"]
    hosts.write_bytes(b"192.0.2.7 added.later\r\n" + hosts.read_bytes())
    server.install_agent(sample.WINDOWS_VERSION)
    assert server.run("-Uninstall", "-ForceLocalOnly").code == 0
    assert hosts.read_bytes() == b"192.0.2.7 added.later\r\n" + HOSTS + b"\r\n"
    assert changes(server) == []


def stored(server: Server) -> list[str]:
    files = (server / "home").rglob("*.pfx")
    return [file.name for file in files]


def test_certificates_go_in_and_out(server, tmp_path):
    issuer = Issuer(tmp_path, "LAB", "LAB Carried Root")
    pem = issuer.pem.read_bytes()
    path = f"payload/certificates/{hashlib.sha256(pem).hexdigest()}.pem"
    made = x509.load_pem_x509_certificate(pem)
    carried = CarriedCertificate(
        path=path,
        name="LAB Carried Root",
        sha1=issuer.sha1,
        sha256=hashlib.sha256(made.public_bytes(serialization.Encoding.DER)).hexdigest(),
        store="root",
    )
    write_bundle(server / "bundle", replace(sample.SECRET, certificates=(carried,)), extra={path: pem})
    script = server / "bundle/install.ps1"
    # On Linux only the user's own store can be written.
    script.write_text(
        script.read_text().replace("$StoreLocation = 'LocalMachine'", "$StoreLocation = 'CurrentUser'"), newline="\r\n"
    )
    home = {"environment": {"HOME": str(server / "home")}}
    (server / "home").mkdir()
    assert server.run(*server.secret(), **home).code == 0
    assert stored(server) == []
    ended = server.run("-InstallCertificates", *server.secret(), **home)
    assert ended.code == 0, ended.out
    assert f"trusts LAB Carried Root ({made.fingerprint(hashes.SHA1()).hex().upper()})" in ended.out
    assert len(stored(server)) == 1
    assert [one["kind"] for one in changes(server)].count("certificate") == 1
    server.install_agent(sample.WINDOWS_VERSION)
    assert server.run("-Uninstall", "-ForceLocalOnly", **home).code == 0
    assert stored(server) == []


def test_the_managed_identity_is_set_up_proved_and_taken_back(server):
    tool(server, "net.exe", NET)
    server.registry(**{ENVIRONMENT: {"Path": "x"}})
    (server / "members").write_text("Alias name\r\n-----\r\nthere\r\n")
    identity = Identity(members=("there", "CONTOSO\\app", "nobody"), environment=True, prove=True)
    write_bundle(server / "bundle", replace(sample.SECRET, identity=identity))
    tokens = server / "Data/AzureConnectedMachineAgent/Tokens"
    tokens.mkdir(parents=True)
    with LocalIdentity(tokens) as endpoint:
        ended = server.run(*server.secret(), environment=endpoint.environment)
        assert ended.code == 0, ended.out
        assert "its identity gives tokens" in ended.out
        assert [one.endswith("+key") for one in endpoint.asked] == [False, True]
    configure = server.receipt()["steps"][3]
    assert configure["outcome"] == "warned"
    assert "nobody could not be added" in configure["message"]
    assert (server / "members").read_text().split()[-2:] == ["there", "CONTOSO\\app"]
    kept = json.loads((server / "registry.json").read_text())[ENVIRONMENT]
    assert kept["IMDS_ENDPOINT"] == "http://localhost:40342"
    assert {(one["kind"], one["name"]) for one in changes(server)} >= {
        ("member", "CONTOSO\\app"),
        ("environment", "IDENTITY_ENDPOINT"),
        ("environment", "IMDS_ENDPOINT"),
    }
    listed = {"DisplayName": "Azure Connected Machine Agent (LAB)", "DisplayVersion": sample.WINDOWS_VERSION}
    server.registry(**{ENVIRONMENT: kept, UNINSTALL: listed})
    ended = server.run("-Uninstall", "-ForceLocalOnly")
    assert ended.code == 0, ended.out
    assert (server / "members").read_text().split()[-1] == "there"
    assert "IDENTITY_ENDPOINT" not in json.loads((server / "registry.json").read_text())[ENVIRONMENT]


@pytest.mark.parametrize("manner", ["open", "elsewhere", "missing", "refusing", "failing", "unnamed"])
def test_an_endpoint_that_gives_no_proof_is_told(server, manner):
    """And no file but a token's is read for it."""
    write_bundle(server / "bundle", replace(sample.SECRET, identity=Identity(prove=True)))
    script = (server / "bundle/install.ps1").read_text()
    probe = script[: script.index("if ($Help) {\n    Show-Usage")] + "Get-TokenProblem\n"
    (server / "bundle/probe.ps1").write_text(probe)
    with LocalIdentity(server / "Data/AzureConnectedMachineAgent/Tokens", manner=manner) as endpoint:
        ended = server.run(script="probe.ps1", environment=endpoint.environment)
        assert any(one.endswith("+key") for one in endpoint.asked) == (manner == "refusing")
    assert ended.code == 0
    assert "endpoint" in ended.out or "file" in ended.out


def test_another_installation_is_waited_for(server):
    """Windows Installer's mutex, under a name of the test's own, held by another process."""
    name = f"Global\\test-{uuid.uuid4()}"
    script = server / "bundle/install.ps1"
    assert "'Global\\_MSIExecute'" in script.read_text()
    script.write_text(script.read_text().replace("Global\\_MSIExecute", name), newline="\r\n")
    hold = f"$m = New-Object Threading.Mutex $true, '{name}'; 'held'; [void][Console]::In.ReadLine()"
    command = [server.powershell, "-NoProfile", "-Command", hold]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        ended = server.run("-LockWait", "1", *server.secret())
        assert ended.code == 211, ended.out
        assert "waiting for at most 1 s" in ended.out
        assert not (server / "msiexec").exists()
        holder.communicate("\n")
    assert server.run("-LockWait", "1", *server.secret()).code == 0


SECEDIT = """#!/bin/bash
while (($#)); do
    if [[ $1 == /cfg ]]; then printf '\\xff\\xfe' >"$2"; printf '%b' '{line}' | iconv -t UTF-16LE >>"$2"; fi
    shift
done
"""
HIMDS = "*S-1-5-80-4215458991-2034252225-2287069555-1155419622-2701885083"


@pytest.mark.parametrize(
    ("accounts", "code"), [("*S-1-5-80-0", 0), (f"*S-1-5-20,{HIMDS}", 0), ("*S-1-5-20,CONTOSO\\\\svc", 202)]
)
@pytest.mark.skipif(shutil.which("iconv") is None, reason="the stand-in of secedit needs iconv")
def test_log_on_as_a_service(server, accounts, code):
    line = f"[Privilege Rights]\\r\\nSeServiceLogonRight = {accounts}\\r\\n"
    tool(server, "secedit.exe", SECEDIT.replace("{line}", line))
    ended = server.run("-CheckOnly", *server.secret())
    assert ended.code == code, ended.out
    assert ("Log on as a service" in ended.out) == bool(code)


def test_what_is_worth_knowing_does_not_stop(server):
    (server / "Windows/AzureArcSetup").mkdir()
    server.registry(**{BUSY: {}, FRAMEWORK: {"Release": 528449}})
    ended = server.run("-CheckOnly", *server.secret())
    assert ended.code == 0, ended.out
    assert "Windows waits for a restart" in ended.out
    assert "in-box Azure Arc Setup" in ended.out


def test_constrained_language_is_told_and_nothing_else_happens(server):
    prelude = server / "prelude.ps1"
    prelude.write_text("$ExecutionContext.SessionState.LanguageMode = 'ConstrainedLanguage'\n")
    before = server.files()
    environment = {"PATH": "/usr/bin:/bin", "ProgramData": str(server / "Data"), "ARC_BUNDLER_SECRET": CANARY}
    done = subprocess.run(
        [server.powershell, "-NoProfile", "-Prelude", prelude, "-File", server / "bundle/install.ps1"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 202, done.stdout + done.stderr
    assert "constrained language mode" in done.stdout
    assert "msiexec /i" in done.stdout
    assert server.files() == before


METADATA = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"azEnvironment": "AzurePublicCloud"}' if self.headers.get("Metadata") == "true" else b''
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *ignored): pass
http.server.HTTPServer(("169.254.169.254", 80), Handler).serve_forever()
"""


def test_an_azure_machine_is_refused(server, tmp_path):
    """In a network of its own, where somebody answers as Azure's metadata service does."""
    if subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network namespace can be made here")
    (tmp_path / "metadata.py").write_text(METADATA)
    wrapper = tmp_path / "powershell"
    wrapper.write_text(
        "#!/bin/bash\nexec unshare -n bash -c '"
        "ip link set lo up; ip addr add 169.254.169.254/32 dev lo; "
        f"python3 {tmp_path}/metadata.py & service=$!; sleep 1; "
        f'{server.powershell} "$@"; code=$?; kill $service; exit $code\' bash "$@"\n'
    )
    wrapper.chmod(0o755)
    there = Server(server.root, str(wrapper))
    ended = there.run("-CheckOnly", *server.secret())
    assert ended.code == 202, ended.out
    assert "this is an Azure VM (AzurePublicCloud)" in ended.out
    ended = there.run("-CheckOnly", *server.secret(), environment={"MSFT_ARC_TEST": "true"})
    assert ended.code == 0, ended.out
