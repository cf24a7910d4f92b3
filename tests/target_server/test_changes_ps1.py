"""What install.ps1 changes besides the agent, and takes back; what it looks at on the machine itself."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
import uuid
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from bundler.lab.identity import LocalIdentity
from bundler.model.network_requirement import HostRecord
from bundler.products.arc_server.script_parameters import CarriedCertificate, Identity
from bundler.render.runtime import END
from tests.support import sample_bundles as sample
from tests.support.windows_bench import CANARY, FRAMEWORK, UNINSTALL, Server, outcomes, write_bundle
from tests.target_server.test_preflight_ps1 import Issuer

HOSTS = b"127.0.0.1 localhost\r\n# \x83\x65\x83\x58\x83\x67 in code page 932"
SESSION = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager"
ENVIRONMENT = SESSION + "\\Environment"
BUSY = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending"

# ADSI and Windows' accounts, which the engine has on Windows alone: the group's SIDs are the lines of a file, the bytes
# of a member's SID are its text, and an account is one that another file names.
ADSI = """
$global:RealNewObject = Get-Command New-Object
function New-Object([string]$TypeName, [object[]]$ArgumentList, $Property) {{
    $first = if ($ArgumentList) {{ $ArgumentList[0] }}
    switch ($TypeName) {{
        'System.Security.Principal.NTAccount' {{ return (New-Account ([string]$first)) }}
        'System.Security.Principal.SecurityIdentifier' {{
            return [pscustomobject]@{{ Value = [Text.Encoding]::ASCII.GetString([byte[]]$first) }}
        }}
        'System.DirectoryServices.DirectoryEntry' {{
            if ($first -isnot [string]) {{ return $first }}
            [IO.File]::AppendAllText('{root}/asked', $first + "`n")
            return (New-Group)
        }}
    }}
    & $global:RealNewObject @PSBoundParameters
}}
function New-Account([string]$Name) {{
    $made = [pscustomobject]@{{ Name = $Name }}
    $made | Add-Member -MemberType ScriptMethod -Name Translate -Value {{
        param($To)
        if ([string]$To -ne 'System.Security.Principal.SecurityIdentifier') {{ throw 'what is asked for is no SID' }}
        foreach ($line in [IO.File]::ReadAllLines('{root}/accounts')) {{
            if ($line.Split('|')[0] -eq $this.Name) {{ return [pscustomobject]@{{ Value = $line.Split('|')[1] }} }}
        }}
        throw 'no such account'
    }}
    $made
}}
function New-Group {{
    $made = [pscustomobject]@{{ File = '{root}/members' }}
    $made | Add-Member -MemberType ScriptMethod -Name Invoke -Value {{
        param([string]$Method, $Given)
        if (-not [IO.File]::Exists($this.File)) {{
            throw (New-Object System.Runtime.InteropServices.COMException 'no such group', -2147022676)
        }}
        $held = @([IO.File]::ReadAllLines($this.File))
        $sid = ([string]@($Given)[0]).Replace('WinNT://', '')
        if ($Method -eq 'Members') {{ return @($held | ForEach-Object {{ New-Member $_ }}) }}
        if ($Method -eq 'Add') {{
            if ($held -contains $sid) {{ throw 'it is a member already' }}
            [IO.File]::AppendAllText($this.File, $sid + "`n")
        }} elseif ($Method -eq 'Remove') {{
            [IO.File]::WriteAllLines($this.File, [string[]]@($held | Where-Object {{ $_ -ne $sid }}))
        }} else {{ throw $Method }}
    }}
    $made
}}
function New-Member([string]$Sid) {{
    $made = [pscustomobject]@{{ Sid = $Sid }}
    $made | Add-Member -MemberType ScriptMethod -Name InvokeGet -Value {{
        param([string]$Name)
        if ($Name -eq 'objectSid') {{ return , [Text.Encoding]::ASCII.GetBytes($this.Sid) }}
        if ($Name -eq 'ADsPath') {{ return 'WinNT://' + $this.Sid }}
        throw $Name
    }}
    $made
}}
"""


def tool(server: Server, name: str, text: str) -> None:
    path = server / "Windows/System32" / name
    path.write_text(text.format(root=server.root))
    path.chmod(0o755)


def changes(server: Server) -> list[dict]:
    file = server / "Data/arc-bundler/changes.json"
    return json.loads(file.read_bytes())["changes"] if file.exists() else []


def test_a_file_that_is_held_for_a_moment_is_waited_for(server):
    """As a virus scanner holds it: a folder is in its place until somebody has tried."""
    held = server / "Data/arc-bundler/changes.json"
    held.mkdir(parents=True)
    process = server.start(*server.secret())
    until = time.monotonic() + 60
    while not any(held.parent.glob("changes.json.*.part")) and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.3)
    held.rmdir()
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out.decode()
    assert [one["kind"] for one in changes(server)] == ["setting"]


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
    # It is another file than the one that was kept.
    assert hosts.with_name("hosts.arc-bundler.bak").exists()


def with_records(server: Server):
    """A bundle with a record, and the hosts file as it was."""
    records = (HostRecord(host="gbl.his.arc.azure.com", address="10.0.0.4"),)
    write_bundle(server / "bundle", replace(sample.SECRET, hosts_records=records))
    hosts = server / "Windows/System32/drivers/etc/hosts"
    hosts.parent.mkdir(parents=True)
    hosts.write_bytes(HOSTS)
    return hosts


def test_what_was_kept_of_the_hosts_file_goes_when_it_is_so_again(server):
    hosts = with_records(server)
    assert server.run("-WriteHosts", *server.secret()).code == 0
    server.install_agent(sample.WINDOWS_VERSION)
    assert server.run("-Uninstall", "-ForceLocalOnly").code == 0
    assert hosts.read_bytes() == HOSTS + b"\r\n"
    assert [file.name for file in hosts.parent.iterdir()] == ["hosts"]


@pytest.mark.parametrize("lost", ["BEGIN", "END"])
def test_a_marker_without_its_other_one_costs_nobody_his_lines(server, lost):
    """What stands between it and our next lines is somebody's."""
    hosts = with_records(server)
    assert server.run("-WriteHosts", *server.secret()).code == 0
    lines = [line for line in hosts.read_bytes().splitlines(keepends=True) if not line.startswith(f"# {lost}".encode())]
    broken = b"".join(lines) + b"192.0.2.7 added.later\r\n"
    hosts.write_bytes(broken)
    for _ in range(2):
        ended = server.run("-WriteHosts", *server.secret())
        assert ended.code == 202, ended.out
        assert "has only one of two arc-bundler markers" in ended.out
        assert hosts.read_bytes() == broken
    server.install_agent(sample.WINDOWS_VERSION)
    assert server.run("-Uninstall", "-ForceLocalOnly").code == 215
    assert hosts.read_bytes() == broken


def test_a_hosts_file_that_cannot_be_written(server):
    hosts = with_records(server)
    hosts.unlink()
    hosts.mkdir()
    ended = server.run("-WriteHosts", *server.secret())
    assert ended.code == 202, ended.out
    assert "cannot be written" in ended.out
    assert "leave out -WriteHosts" in ended.out
    assert [file.name for file in hosts.parent.iterdir()] == ["hosts"]


def test_a_new_hosts_file_that_cannot_be_written_leaves_the_old_one(server):
    hosts = with_records(server)
    hosts.with_name("hosts.arc-bundler.new").mkdir()
    ended = server.run("-WriteHosts", *server.secret())
    assert ended.code == 202, ended.out
    assert hosts.read_bytes() == HOSTS


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
        script.read_text().replace("$script:StoreLocation = 'LocalMachine'", "$script:StoreLocation = 'CurrentUser'"),
        newline="\r\n",
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
    kept = server / "kept"
    shutil.copytree(server / "home", kept)
    ended = server.run("-Uninstall", "-ForceLocalOnly", **home)
    assert ended.code == 0, ended.out
    assert f"certificate {issuer.sha1}" in ended.out
    assert stored(server) == []
    # Where it was there before us, it is not ours to take.
    shutil.rmtree(server / "home")
    shutil.copytree(kept, server / "home")
    server.registry()
    assert server.run("-InstallCertificates", *server.secret(), **home).code == 0
    assert [one["kind"] for one in changes(server)].count("certificate") == 0
    server.install_agent(sample.WINDOWS_VERSION)
    assert server.run("-Uninstall", "-ForceLocalOnly", **home).code == 0
    assert len(stored(server)) == 1


def accounts(server: Server, **known: str) -> None:
    (server / "prelude.ps1").write_text(ADSI.format(root=server.root))
    (server / "accounts").write_text("".join(f"{name}|{sid}\n" for name, sid in known.items()))


def members(server: Server) -> list[str]:
    return (server / "members").read_text().split()


def test_the_managed_identity_is_set_up_proved_and_taken_back(server):
    accounts(server, **{"there": "S-1-5-21-1", "CONTOSO\\app": "S-1-5-21-2"})
    server.registry(**{ENVIRONMENT: {"Path": "x"}})
    (server / "members").write_text("S-1-5-21-9\nS-1-5-21-1\n")
    identity = Identity(members=("there", "CONTOSO\\app", "nobody"), environment=True, prove=True)
    write_bundle(server / "bundle", replace(sample.SECRET, identity=identity))
    tokens = server / "Data/AzureConnectedMachineAgent/Tokens"
    tokens.mkdir(parents=True)
    with LocalIdentity(tokens) as endpoint:
        ended = server.run(*server.secret(), environment=endpoint.environment, prelude="prelude.ps1")
        assert ended.code == 0, ended.out
        assert "its identity returns tokens" in ended.out
        assert [one.endswith("+key") for one in endpoint.asked] == [False, True]
        again = server.run(environment=endpoint.environment, prelude="prelude.ps1")
        assert again.code == 0, again.out
    assert set((server / "asked").read_text().splitlines()) == {"WinNT://./Hybrid agent extension applications,group"}
    configure = server.receipt()["steps"][3]
    assert configure["outcome"] == "warned"
    assert "nobody could not be added to Hybrid agent extension applications: no such account" in configure["message"]
    assert members(server) == ["S-1-5-21-9", "S-1-5-21-1", "S-1-5-21-2"]
    kept = json.loads((server / "registry.json").read_text())[ENVIRONMENT]
    assert kept["IMDS_ENDPOINT"] == "http://localhost:40342"
    assert [one for one in changes(server) if one["kind"] != "setting"] == [
        {"kind": "member", "name": "CONTOSO\\app", "value": "S-1-5-21-2"},
        *(
            {"kind": "environment", "name": name, "value": kept[name]}
            for name in ("IDENTITY_ENDPOINT", "IMDS_ENDPOINT")
        ),
    ]
    listed = {"DisplayName": "Azure Connected Machine Agent (LAB)", "DisplayVersion": sample.WINDOWS_VERSION}
    server.registry(**{ENVIRONMENT: kept, UNINSTALL: listed})
    # The account may be gone by then: what counts is its SID.
    accounts(server)
    ended = server.run("-Uninstall", "-ForceLocalOnly", prelude="prelude.ps1")
    assert ended.code == 0, ended.out
    assert "member CONTOSO\\app" in ended.out
    assert members(server) == ["S-1-5-21-9", "S-1-5-21-1"]
    assert json.loads((server / "registry.json").read_text())[ENVIRONMENT] == {"Path": "x"}
    assert changes(server) == []


def test_the_group_goes_with_the_agent(server):
    accounts(server, app="S-1-5-21-2")
    (server / "members").write_text("")
    write_bundle(server / "bundle", replace(sample.SECRET, identity=Identity(members=(".\\app", "app"))))
    ended = server.run(*server.secret(), prelude="prelude.ps1")
    assert ended.code == 0, ended.out
    assert members(server) == ["S-1-5-21-2"]
    (server / "members").unlink()
    ended = server.run(prelude="prelude.ps1")
    assert ended.code == 0, ended.out
    assert "the group Hybrid agent extension applications does not exist" in ended.out
    server.install_agent(sample.WINDOWS_VERSION)
    ended = server.run("-Uninstall", "-ForceLocalOnly", prelude="prelude.ps1")
    assert ended.code == 0, ended.out
    assert changes(server) == []


def test_a_variable_of_somebody_elses_stays(server):
    """One that was there, and one that was changed after us."""
    held = {"Path": "x", "IMDS_ENDPOINT": "http://me:hunter2@other.example:1"}
    server.registry(**{ENVIRONMENT: held})
    write_bundle(server / "bundle", replace(sample.SECRET, identity=Identity(environment=True)))
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert "IMDS_ENDPOINT is http://***@other.example:1 and was not changed" in ended.out
    now = json.loads((server / "registry.json").read_text())[ENVIRONMENT]
    assert now == {**held, "IDENTITY_ENDPOINT": "http://localhost:40342/metadata/identity/oauth2/token"}
    changed = {**now, "IDENTITY_ENDPOINT": "http://localhost:1/changed"}
    listed = {"DisplayName": "Azure Connected Machine Agent (LAB)", "DisplayVersion": sample.WINDOWS_VERSION}
    server.registry(**{ENVIRONMENT: changed, UNINSTALL: listed})
    assert server.run("-Uninstall", "-ForceLocalOnly").code == 0
    assert json.loads((server / "registry.json").read_text())[ENVIRONMENT] == changed
    assert changes(server) == []


@pytest.mark.parametrize("manner", ["open", "elsewhere", "missing", "refusing", "failing", "unnamed"])
def test_an_endpoint_that_gives_no_proof_is_told(server, manner):
    """And no file but a token's is read for it."""
    write_bundle(server / "bundle", replace(sample.SECRET, identity=Identity(prove=True)))
    script = (server / "bundle/install.ps1").read_text()
    probe = script[: script.index("if ($Help) {\n    Show-Usage")] + f"Get-TokenProblem\n{END}\n"
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
    assert "WARNING: a restart of this machine is pending" in ended.out
    assert outcomes(ended)[1] == "warn"
    assert "in-box Azure Arc Setup" in ended.out


@pytest.mark.parametrize(("script", "way_out"), [("install.ps1", "msiexec /i"), ("verify.ps1", "on another machine")])
@pytest.mark.parametrize("mode", ["ConstrainedLanguage", "RestrictedLanguage"])
def test_constrained_language_is_told_and_nothing_else_happens(server, script, way_out, mode):
    """As the engine has it: the mode is set before the script starts, and is the policy's on Windows."""
    prelude = server / "prelude.ps1"
    prelude.write_text(f"$ExecutionContext.SessionState.LanguageMode = '{mode}'\n")
    before = server.files()
    ended = server.run(script=script, environment={"ARC_BUNDLER_SECRET": CANARY}, prelude="prelude.ps1")
    if mode == "RestrictedLanguage":
        # In it the engine runs no script at all.
        assert ended.code != 0
        assert "language" in ended.out
    else:
        assert ended.code == 202, ended.out
        assert "constrained" in ended.out
        assert way_out in ended.out
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
