"""What install.ps1 finds on a server, and its one answer to it: the rows of the table in docs/on-the-server.md."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from dataclasses import replace

import pytest

from bundler.products.arc_server.script_parameters import EndpointCheck, Setting
from bundler.render import quoting
from tests.support import sample_bundles as sample
from tests.support.windows_bench import CANARY, HOST, UNINSTALL, Server, outcomes, source, write_bundle

BOTH_HOSTS = True

OLDER, NEWER = "1.66.03471.1262", "1.100.0.1"


def connected_to(server: Server, group: str) -> None:
    held = {"subscriptionId": sample.SUBSCRIPTION, "resourceGroup": group, "resourceName": HOST}
    (server / "lab/var/opt/azcmagent").mkdir(parents=True, exist_ok=True)
    (server / "lab/var/opt/azcmagent/agentconfig.json").write_text(json.dumps(held))


def group_of(server: Server) -> str:
    file = server / "lab/var/opt/azcmagent/agentconfig.json"
    return json.loads(file.read_bytes())["resourceGroup"] if file.exists() else ""


def expire(server: Server) -> None:
    """As an agent shows itself after 90 days without Azure; the stand-in forgets it when it disconnects."""
    connected_to(server, "rg-arc")
    shown = {
        "status": "Expired",
        "subscriptionId": sample.SUBSCRIPTION,
        "resourceGroup": "rg-arc",
        "resourceName": HOST,
    }
    (server / "shown").write_text(json.dumps(shown))


# What is there; switches; exit code; the outcomes of install and connect; whether msiexec removed and installed.
STATES = {
    "nothing": (None, "", (), 0, ("ok", "ok"), (False, True)),
    "the same version, disconnected": (sample.WINDOWS_VERSION, "", (), 0, ("skip", "ok"), (False, False)),
    "older and connected": (OLDER, "rg-arc", (), 0, ("ok", "skip"), (False, True)),
    "newer": (NEWER, "", (), 0, ("skip", "ok"), (False, False)),
    "newer, and it may be replaced": (NEWER, "rg-arc", ("-AllowDowngrade",), 0, ("ok", "skip"), (True, True)),
    "connected as wanted": (sample.WINDOWS_VERSION, "rg-arc", (), 0, ("skip", "skip"), (False, False)),
    "connected elsewhere": (sample.WINDOWS_VERSION, "rg-other", (), 67, (), (False, False)),
    "connected elsewhere, and to be moved": (
        sample.WINDOWS_VERSION,
        "rg-other",
        ("-Reconnect",),
        0,
        ("skip", "ok"),
        (False, False),
    ),
    "an expired identity": (sample.WINDOWS_VERSION, "expired", (), 0, ("skip", "ok"), (False, False)),
}


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_its_answer(server, state):
    version, group, switches, code, wanted, (removed, installed) = STATES[state]
    if version:
        server.install_agent(version)
    if group == "expired":
        expire(server)
    elif group:
        connected_to(server, group)
    ended = server.run(*server.secret(), *switches)
    assert ended.code == code, ended.out
    assert (server / "removed").exists() == removed
    assert (server / "msiexec").exists() == installed
    receipt = server.receipt()
    assert receipt["code"] == code
    if code:
        assert "-Reconnect" in receipt["message"]
        assert group_of(server) == group
    else:
        assert tuple(outcomes(ended)[2:5:2]) == wanted
        assert (group_of(server), receipt["outcome"]) == ("rg-arc", "connected")
        assert [f"-{name.lstrip('-')}" for name in receipt["switches"]] == list(switches)


BROKEN = {UNINSTALL: {"DisplayName": "Azure Connected Machine Agent", "DisplayVersion": sample.WINDOWS_VERSION}}


def test_an_agent_that_is_listed_without_its_program_is_repaired(server):
    """Taken out first: Windows Installer would take it for there and do nothing. Its connection stays."""
    connected_to(server, "rg-arc")
    server.registry(**BROKEN)
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert (server / "removed").read_text().split()[:2] == ["/x", "{5454DFD0-1F38-4EA2-9ECF-AFD6634E1917}"]
    assert (server / "msiexec").exists()
    assert group_of(server) == "rg-arc"
    assert outcomes(ended)[4] == "skip"


def test_what_a_removed_agent_left_is_seen_when_it_is_back(server):
    """Its state is no longer asked of anybody before the installation, and it may be another resource's."""
    connected_to(server, "rg-other")
    ended = server.run(*server.secret())
    assert ended.code == 67, ended.out
    assert group_of(server) == "rg-other"
    (server / "removed").unlink(missing_ok=True)
    shutil.rmtree(server / "Programs/AzureConnectedMachineAgent")
    (server / "Programs/AzureConnectedMachineAgent").mkdir()
    ended = server.run("-Reconnect", *server.secret())
    assert ended.code == 0, ended.out
    assert group_of(server) == "rg-arc"


@pytest.mark.parametrize(
    ("removed", "installed", "code", "said"),
    [
        (1603, 0, 214, "msiexec ended with 67 while removing"),
        (0, 1603, 214, "msiexec ended with 67;"),
        (0, "nothing", 214, "is missing"),
        (0, 112, 158, "msiexec ended with 112"),
    ],
)
def test_what_cannot_be_repaired_is_214(server, removed, installed, code, said):
    server.registry(**BROKEN)
    program = server / "Windows/System32/msiexec.exe"
    # Its code is one byte here: 1603 arrives as 67.
    script = server / "bundle/install.ps1"
    script.write_text(script.read_text().replace("@{ 1603 = 156", "@{ 67 = 156"), newline="\r\n")
    text = program.read_text()
    if removed:
        text = text.replace("    die 'msiexec removed'\n    exit 0\n", f"    exit {removed & 255}\n")
    if installed == "nothing":
        text = text.replace("code=$(<", "exit 0 # $(<").replace("[[ ! -e '" + str(server / "msi-code") + "' ]] ||", "")
    elif installed:
        (server / "msi-code").write_text(str(installed))
    program.write_text(text)
    ended = server.run(*server.secret())
    assert ended.code == code, ended.out
    assert said in ended.out
    assert f"exit code {code}:" in ended.out
    assert server.receipt()["code"] == code
    assert (server / "msiexec").exists() == (not removed)


def test_only_a_practice_bundle_knows_the_labs_agent(server):
    for name in ("Azure Connected Machine Agent (LAB)", "Azure Connected Machine Agent"):
        server.registry(**{UNINSTALL: {"DisplayName": name, "DisplayVersion": "9.9"}})
        for lab in (True, False):
            sample.write(server / "bundle", lab=lab)
            probe = source("runtime/windows/json.ps1", "arc-server/runtime/windows/agent.ps1")
            probe += "@(Get-AgentPrograms) | ForEach-Object { $_.Key + $_.Version }\n"
            (server / "bundle/probe.ps1").write_text(f"$Lab = {quoting.powershell_flag(lab)}\n" + probe)
            found = server.run(script="probe.ps1").out.split()
            known = lab or "LAB" not in name
            assert found == (["{5454DFD0-1F38-4EA2-9ECF-AFD6634E1917}9.9"] if known else []), name


def test_who_left_one_resource_and_reached_no_other_is_told_so(server):
    server.install_agent(sample.WINDOWS_VERSION)
    connected_to(server, "rg-other")
    lab = server / "lab/var/opt/azcmagent/lab.json"
    agent = server / "Programs/AzureConnectedMachineAgent/azcmagent.exe"
    # The agent's disconnect takes the failure first.
    failing = f"[[ $1 != connect ]] || echo '{{\"fail\": \"20\"}}' >'{lab}'"
    agent.write_text(agent.read_text().replace("\n", f"\n{failing}\n", 1))
    ended = server.run("-Reconnect", *server.secret())
    assert ended.code == 20, ended.out
    assert "/resourceGroups/rg-other/" in ended.out.partition("ended with 20; this machine is no longer ")[2]


@pytest.mark.parametrize(("code", "tries"), [("42", 2), ("41", 1)])
def test_what_passes_by_itself_is_tried_again(server, code, tries):
    (server / "lab/var/opt/azcmagent").mkdir(parents=True)
    (server / "lab/var/opt/azcmagent/lab.json").write_text(json.dumps({"fail-once": code}))
    ended = server.run(*server.secret())
    assert ended.code == (0 if tries == 2 else int(code)), ended.out
    assert (server / "arguments").read_text().count("connect|--config|") == tries


def test_uninstalling_takes_everything_of_ours(server):
    assert server.run(*server.secret()).code == 0
    server.install_agent(sample.WINDOWS_VERSION)
    refused = server.run("-Uninstall")
    assert refused.code == 203, refused.out
    assert group_of(server) == "rg-arc"
    ended = server.run("-Uninstall", *server.secret())
    assert ended.code == 0, ended.out
    assert outcomes(ended) == ["ok"] * 5
    assert json.loads((server / "left").read_bytes())["service-principal-secret"] == CANARY
    assert (server / "removed").read_text().split()[:4] == [
        "/x",
        "{5454DFD0-1F38-4EA2-9ECF-AFD6634E1917}",
        "/qn",
        "/norestart",
    ]
    assert group_of(server) == ""
    receipt = server.receipt()
    assert (receipt["mode"], receipt["outcome"], receipt["code"]) == ("uninstall", "uninstalled", 0)
    server.registry()
    again = server.run("-Uninstall")
    assert again.code == 0, again.out
    assert outcomes(again)[1:4] == ["skip"] * 3


def test_uninstalling_from_the_32_bit_powershell_touches_nothing(server):
    """There the agent is in no list of programs: it would be disconnected, and then not be removed."""
    assert server.run(*server.secret()).code == 0
    server.install_agent(sample.WINDOWS_VERSION)
    script = server / "bundle/install.ps1"
    script.write_text(script.read_text().replace("[Environment]::Is64BitProcess", "$false"), newline="\r\n")
    ended = server.run("-Uninstall", *server.secret())
    assert ended.code == 202, ended.out
    assert "32-bit PowerShell" in ended.out
    assert group_of(server) == "rg-arc"


def test_uninstalling_elsewhere_needs_a_word(server):
    server.install_agent(sample.WINDOWS_VERSION)
    connected_to(server, "rg-other")
    assert server.run("-Uninstall").code == 67
    assert group_of(server) == "rg-other"
    ended = server.run("-Uninstall", "-ForceLocalOnly")
    assert ended.code == 0, ended.out
    assert "disconnect|--force-local-only|" in (server / "arguments").read_text()


def test_a_proxy_of_an_earlier_bundle_is_cleared(server):
    assert server.run(*server.secret()).code == 0
    write_bundle(server / "bundle", replace(sample.SECRET, settings=(Setting(key="config.mode", value="full"),)))
    ended = server.run()
    assert ended.code == 0, ended.out
    assert "proxy.url cleared" in ended.out
    local = json.loads((server / "lab/var/opt/azcmagent/localconfig.json").read_bytes())
    assert local["proxy.url"] == ""
    assert outcomes(server.run())[3] == "skip"


def test_a_proxy_of_somebody_elses_stays(server):
    server.install_agent(sample.WINDOWS_VERSION)
    (server / "lab/var/opt/azcmagent").mkdir(parents=True)
    (server / "lab/var/opt/azcmagent/localconfig.json").write_text('{"proxy.url": "http://other.example:8080"}')
    write_bundle(server / "bundle", replace(sample.SECRET, settings=()))
    assert server.run(*server.secret()).code == 0
    local = json.loads((server / "lab/var/opt/azcmagent/localconfig.json").read_bytes())
    assert local["proxy.url"] == "http://other.example:8080"


GATEWAY = f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.HybridCompute/gateways/g"
HELD = {"subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-arc", "resourceName": HOST}
CONNECTED = {"status": "Connected", **HELD}
BEHIND = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("shown", "code"),
    [
        ({"httpsProxy": "http://localhost:40343", "upstreamProxy": BEHIND}, 0),
        ({"httpsProxy": "http://localhost:40343", "upstreamProxy": "http://other.example:3128"}, 206),
        ({"httpsProxy": BEHIND, "upstreamProxy": ""}, 206),
    ],
    ids=["by it", "not by the proxy", "not by it"],
)
def test_a_gateway_is_confirmed(server, shown, code):
    write_bundle(server / "bundle", replace(sample.SECRET, gateway_id=GATEWAY, proxy_url=BEHIND))
    assert server.run(*server.secret()).code == 0
    (server / "shown").write_text(json.dumps(CONNECTED | shown))
    ended = server.run(*server.secret())
    assert ended.code == code, ended.out
    assert ("gateway" in server.receipt()["message"]) == bool(code)


def test_a_gateway_may_need_a_moment(server):
    """The agent's proxy starts when it is told to; who asks at once sees how it was."""
    write_bundle(server / "bundle", replace(sample.SECRET, settings=(), gateway_id=GATEWAY))
    server.install_agent(sample.WINDOWS_VERSION)
    connected_to(server, "rg-arc")
    (server / "shown").write_text(json.dumps(CONNECTED | {"httpsProxy": ""}))
    agent = server / "Programs/AzureConnectedMachineAgent/azcmagent.exe"
    ready = json.dumps(CONNECTED | {"httpsProxy": "http://localhost:40343"})
    asked = server / "asked"
    count = f"echo >>'{asked}'; (($(wc -l <'{asked}') < 6)) || echo '{ready}' >'{server.root}/shown'"
    agent.write_text(
        agent.read_text().replace(
            "if [[ $1 == disconnect", f"[[ $1 != show ]] || {{ {count}; }}\nif [[ $1 == disconnect"
        )
    )
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert ", through the gateway" in ended.out


@pytest.mark.parametrize(("way", "code"), [("gateway", 0), ("direct", 26)])
def test_what_goes_by_the_gateway_is_no_matter_of_the_agents_check(server, way, code):
    """Before it is connected the agent tries by itself what only the gateway can reach."""
    host = "agentserviceapi.guestconfiguration.azure.com"
    (server / "lab/var/opt/azcmagent").mkdir(parents=True)
    (server / "lab/var/opt/azcmagent/lab.json").write_text(json.dumps({"unreachable": host}))
    # The stand-in looks at its table when it connects, too, as the real one does not with a gateway.
    agent = server / "stand-in/azcmagent.exe"
    forget = f"[[ $1 != connect ]] || rm -f '{server.root}/lab/var/opt/azcmagent/lab.json'\n"
    agent.write_text(agent.read_text().replace("if [[ $1 == disconnect", forget + "if [[ $1 == disconnect"))
    row = EndpointCheck(host=host, port=443, required=True, expects="any", way=way, phase="always", feature="core")
    write_bundle(server / "bundle", replace(sample.SECRET, settings=(), gateway_id=GATEWAY, checks=(row,)))
    ended = server.run(*server.secret())
    assert ended.code == code, ended.out
    assert ("azcmagent check does not reach" in ended.out) == bool(code)


def test_what_the_agent_does_not_keep_is_told(server):
    """A stand-in that takes a setting and forgets it."""
    agent = server / "stand-in/azcmagent.exe"
    agent.write_text(
        agent.read_text().replace(
            "if [[ $1 == disconnect", "[[ \"$1 $2\" != 'config set' ]] || exit 0\nif [[ $1 == disconnect"
        )
    )
    ended = server.run(*server.secret())
    assert ended.code == 69, ended.out
    assert "proxy.url was set to" in ended.out


PORTS = Setting(key="incomingconnections.ports", value="6516,22")
SHOWN = (
    "%s",
    "incomingconnections.ports (preview)   : %s\r",
    "Local\nincomingconnections.ports : %s",
    "other.ports: %s",
)


@pytest.mark.parametrize("form", SHOWN)
@pytest.mark.parametrize("held", ["[6516,22]", "[22 6516]"])
def test_a_value_is_read_in_whatever_form(server, form, held):
    """How the real agent's "config get" prints is in no document; another key's value is not this one's."""
    agent = server / "stand-in/azcmagent.exe"
    answer = f"""[[ $1 != config || $2 == set ]] || {{
    [[ $2 == get ]] || exit 1
    printf {json.dumps(form + chr(10))} '{held}'
    exit
}}
"""
    agent.write_text(agent.read_text().replace("if [[ $1 == disconnect", answer + "if [[ $1 == disconnect"))
    write_bundle(server / "bundle", replace(sample.SECRET, settings=(PORTS,)))
    ended = server.run(*server.secret())
    assert ended.code == (69 if form.startswith("other") else 0), ended.out


def test_a_switch_is_read_whatever_its_case(server):
    """A version may write what JSON calls true, as the .NET that reads it does."""
    agent = server / "stand-in/azcmagent.exe"
    answer = """[[ $1 != config || $2 == set ]] || {
    [[ $2 == list && ${3:-} == -j ]] || exit 1
    echo '{"localsettings": [{"Key": "extensions.enabled", "Value": true}]}'
    exit
}
"""
    agent.write_text(agent.read_text().replace("if [[ $1 == disconnect", answer + "if [[ $1 == disconnect"))
    setting = Setting(key="extensions.enabled", value="true")
    write_bundle(server / "bundle", replace(sample.SECRET, settings=(setting,)))
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert "does not report its value" not in ended.out


def test_a_value_that_is_not_shown_is_told(server):
    agent = server / "stand-in/azcmagent.exe"
    answer = "[[ $1 != config || $2 == set ]] || exit 1\n"
    agent.write_text(agent.read_text().replace("if [[ $1 == disconnect", answer + "if [[ $1 == disconnect"))
    write_bundle(server / "bundle", replace(sample.SECRET, settings=(PORTS,)))
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out
    assert "azcmagent does not report its value of incomingconnections.ports" in ended.out
    assert outcomes(ended)[3] == "warn"


def test_two_runs_exclude_each_other(server):
    (server / "Data/arc-bundler").mkdir(parents=True)
    lock = server / "Data/arc-bundler/lock"
    with subprocess.Popen(["flock", lock, "-c", "echo held; read -r _"], stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        ended = server.run(*server.secret())
        holder.communicate("\n")
    assert ended.code == 212, ended.out
    assert not (server / "msiexec").exists()
    assert server.run(*server.secret()).code == 0


def test_a_kill_leaves_a_receipt(server):
    """Its steps are those that were done; a run that ends replaces it by the whole."""
    (server / "slow").touch()
    process = server.start(*server.secret())
    while not (server / "connecting").exists():
        assert process.poll() is None
    process.kill()
    process.communicate()
    receipt = server.receipt()
    assert (receipt["outcome"], receipt["code"]) == ("interrupted", 207)
    assert [step["name"] for step in receipt["steps"]] == ["verify", "preflight", "install", "configure"]
    assert list((server / "Data/arc-bundler").glob("*.part")) == []


def test_collected_logs_hold_no_secret(server):
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl"
    secrets = {
        "himds.log": f'level=info msg="got" access_token="{token}"',
        "azcmagent.log": 'service-principal-secret: hunter2a\n"client_secret": "hun\\"ter2b", next\nhttp://me:hunter2c@proxy:80/',
        "arcproxy.log": "Authorization: Bearer hunter2d\nhttps://x.blob/?sv=1&sig=hunter2e%3D&x=1\nkept: this line",
    }
    for name, text in secrets.items():
        file = server / "Data/AzureConnectedMachineAgent/Log" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    server.install_agent(sample.WINDOWS_VERSION)
    ended = server.run("-CollectLogs", str(server / "out"), environment={"ARC_BUNDLER_SECRET": CANARY})
    assert ended.code == 0, ended.out
    (archive,) = (server / "out").iterdir()
    with zipfile.ZipFile(archive) as packed:
        held = {name: packed.read(name).decode() for name in packed.namelist()}
    everything = "\n".join(held.values())
    for secret in ("hunter2", "ter2b", token, "cAn4ry"):
        assert secret not in everything, secret
    assert "kept: this line" in held["agent/arcproxy.log"]
    assert {"azcmagent-show.txt", "azcmagent-config-list.txt", "preflight.json", "receipt.json"} <= set(held)
    assert json.loads(held["receipt.json"])["mode"] == "collect-logs"


PASSWORD = "hunt@er2"
WITH_PASSWORD = f"http://me:{PASSWORD}@proxy.example:3128"


@pytest.mark.parametrize(
    ("verb", "deed", "code"),
    [
        ("get", f"echo '{WITH_PASSWORD}'; exit", 0),
        ("set", f"echo 'no {WITH_PASSWORD}' >&2; exit 23", 23),
        ("set", "exit 0", 69),
    ],
    ids=["shown", "refused", "forgotten"],
)
def test_a_password_in_a_proxys_address_is_not_told(server, verb, deed, code):
    """A definition refuses one; what somebody set by hand, and what the agent says of it, is still not passed on."""
    write_bundle(server / "bundle", replace(sample.SECRET, settings=(Setting(key="proxy.url", value=WITH_PASSWORD),)))
    agent = server / "stand-in/azcmagent.exe"
    deed = f'[[ "$1 $2" != "config {verb}" ]] || {{ {deed}; }}\n'
    agent.write_text(agent.read_text().replace("if [[ $1 == disconnect", deed + "if [[ $1 == disconnect"))
    ended = server.run(*server.secret(), environment={"HTTPS_PROXY": WITH_PASSWORD})
    assert ended.code == code, ended.out
    if verb == "set":
        # The agent gets it as it is.
        assert f"config|set|proxy.url|{WITH_PASSWORD}|" in (server / "arguments").read_text()
    told = [*(server / "Data/arc-bundler").glob("*.log"), *(server / "Data/arc-bundler").glob("receipt-*.json")]
    everything = ended.out + "".join(file.read_text() for file in told)
    assert len(told) >= 2
    assert "er2" not in everything
    assert "http://***@proxy.example:3128" in everything
