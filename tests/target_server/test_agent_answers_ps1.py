"""What install.ps1 does about an agent that answers badly, in a Hyper-V guest, and on a copy of a connected machine."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bundler.products.arc_server.script_parameters import EndpointCheck
from tests.support import sample_bundles as sample
from tests.support.windows_bench import HOST, UNINSTALL, Server, outcomes, write_bundle

INSTALLED = {UNINSTALL: {"DisplayName": "Azure Connected Machine Agent", "DisplayVersion": sample.WINDOWS_VERSION}}
BIOS = "HKLM\\HARDWARE\\DESCRIPTION\\System\\BIOS"
GUEST = {BIOS: {"SystemManufacturer": "Microsoft Corporation", "SystemProductName": "Virtual Machine"}}
HELD = {"subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-arc", "resourceName": HOST}
RESOURCE = (
    f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/rg-arc/providers/Microsoft.HybridCompute/machines/{HOST}"
)


def answers(server: Server, verb: str, text: str, code: int) -> None:
    """From now on the agent answers ``verb`` so; where it is installed."""
    (server / f"{verb}-says").write_text(text)
    for place in ("stand-in", "Programs/AzureConnectedMachineAgent"):
        agent = server / place / "azcmagent.exe"
        if not agent.exists():
            continue
        answer = f"[[ $1 != {verb} ]] || {{ cat '{server.root}/{verb}-says'; exit {code}; }}\n"
        agent.write_text(agent.read_text().replace("if [[ $1 == disconnect", answer + "if [[ $1 == disconnect"))


def connected(server: Server, **shown: str) -> None:
    """The installed agent, connected; with ``shown`` it answers so until it is disconnected."""
    server.install_agent(sample.WINDOWS_VERSION)
    state = server / "lab/var/opt/azcmagent/agentconfig.json"
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps(HELD))
    if shown:
        (server / "shown").write_text(json.dumps({"status": "Connected", **HELD, **shown}))


def keep(server: Server, **held: str) -> None:
    """The agent's own file, where the real one has it."""
    file = server / "Data/AzureConnectedMachineAgent/Config/agentconfig.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(held))


def asked(server: Server) -> str:
    file = server / "arguments"
    return file.read_text() if file.exists() else ""


UNREADABLE = {
    "the service is stopped": ("", 61, 61),
    "no JSON": ("WARN   something\n{ not json\n", 0, 220),
    "cut short": ('{"status": "Disconnected", "subscriptionId": "", "resourceGr', 0, 220),
}


@pytest.mark.parametrize("how", UNREADABLE)
def test_what_cannot_be_read_is_not_taken_for_absent(server, how):
    text, ends, code = UNREADABLE[how]
    connected(server)
    keep(server, **HELD)
    answers(server, "show", text, ends)
    ended = server.run("-Uninstall")
    assert ended.code == code, ended.out
    assert not (server / "removed").exists()
    assert "disconnect|" not in asked(server)
    receipt = server.receipt()
    assert (receipt["outcome"], receipt["code"]) == ("failed", code)
    for words in ("Start-Service himds", "-ForceLocalOnly", RESOURCE):
        assert words in receipt["message"]


@pytest.mark.parametrize("switches", [(), ("-CheckOnly",), ("-Reconnect",)])
def test_installing_stops_where_the_state_is_unknown(server, switches):
    """Before the secret is asked for: whether one is needed is not known."""
    server.install_agent("1.60.0.1")
    answers(server, "show", "", 61)
    ended = server.run(*switches)
    assert ended.code == 61, ended.out
    assert not (server / "msiexec").exists()
    assert "connect|" not in asked(server)
    assert "or remove the agent with -Uninstall -ForceLocalOnly" in ended.out


def test_a_word_removes_what_does_not_answer(server):
    connected(server)
    keep(server, **HELD)
    answers(server, "show", "", 61)
    answers(server, "disconnect", "no service\n", 61)
    ended = server.run("-Uninstall", "-ForceLocalOnly")
    assert ended.code == 0, ended.out
    assert (server / "removed").exists()
    assert f"{RESOURCE}, on this machine only (as -ForceLocalOnly says); it stays in Azure" in ended.out
    assert "azcmagent disconnect ended with 61" in ended.out


def test_a_word_connects_anew_what_does_not_answer(server):
    connected(server)
    answers(server, "show", "", 61)
    # It answers again when it was disconnected.
    agent = server / "Programs/AzureConnectedMachineAgent/azcmagent.exe"
    agent.write_text(agent.read_text().replace("[[ $1 != show ]]", f"[[ $1 != show || -e '{server.root}/arrived' ]]"))
    ended = server.run("-Reconnect", "-ForceLocalOnly", *server.secret())
    assert ended.code == 0, ended.out
    assert "disconnect|--force-local-only|" in asked(server)
    assert "connect|--config|" in asked(server)


def test_a_listed_agent_without_its_program_may_be_connected(server):
    server.registry(**INSTALLED)
    keep(server, **HELD)
    ended = server.run("-Uninstall")
    assert ended.code == 220, ended.out
    assert not (server / "removed").exists()
    ended = server.run("-Uninstall", "-ForceLocalOnly")
    assert ended.code == 0, ended.out
    assert (server / "removed").exists()


def test_a_program_that_does_not_start_is_no_answer(server):
    server.install_agent(sample.WINDOWS_VERSION)
    (server / "Programs/AzureConnectedMachineAgent/azcmagent.exe").chmod(0o644)
    server.registry()
    ended = server.run("-Uninstall")
    assert ended.code == 220, ended.out
    assert "cannot be started" in ended.out
    assert server.receipt()["code"] == 220
    ended = server.run("-CollectLogs", str(server / "logs"))
    assert ended.code == 0, ended.out
    # It is there, and not in Windows' list: not absent.
    ended = server.run("-Uninstall", "-ForceLocalOnly")
    assert ended.code == 215, ended.out
    server.registry(**INSTALLED)
    ended = server.run("-Uninstall", "-ForceLocalOnly")
    assert ended.code == 0, ended.out
    assert (server / "removed").exists()


def test_a_new_agent_may_need_a_moment_to_answer(server):
    """Its service has just started; what was never connected cannot be connected."""
    answers(server, "show", "", 61)
    agent = server / "stand-in/azcmagent.exe"
    agent.write_text(agent.read_text().replace("[[ $1 != show ]]", f"[[ $1 != show || -e '{server.root}/arrived' ]]"))
    ended = server.run(*server.secret())
    assert ended.code == 0, ended.out


def test_a_new_agent_that_does_not_answer_may_be_connected(server):
    answers(server, "show", "", 65)
    keep(server, **HELD)
    ended = server.run(*server.secret())
    assert ended.code == 65, ended.out
    assert "connect|--config|" not in asked(server)


def guest(server: Server) -> None:
    server.registry(**INSTALLED, **GUEST)


def test_in_a_hyper_v_guest_the_resource_stays(server):
    connected(server)
    guest(server)
    ended = server.run("-Uninstall")
    assert ended.code == 0, ended.out
    assert "disconnect|--force-local-only|" in asked(server)
    assert f"disconnected {RESOURCE}, on this machine only (this is a Hyper-V guest: " in ended.out
    assert "-DeleteResource" in ended.out


def test_in_a_hyper_v_guest_a_word_deletes_it(server):
    connected(server)
    guest(server)
    ended = server.run("-Uninstall", "-DeleteResource", *server.secret())
    assert ended.code == 0, ended.out
    assert "disconnect|--config|" in asked(server)
    assert server.receipt()["switches"] == ["-DeleteResource"]


def test_in_a_hyper_v_guest_reconnecting_leaves_the_other_one(server):
    connected(server, resourceGroup="rg-other")
    guest(server)
    ended = server.run("-Reconnect", *server.secret())
    assert ended.code == 0, ended.out
    assert "disconnect|--force-local-only|" in asked(server)
    assert "/resourceGroups/rg-other/" in ended.out.partition(", on this machine only (this is a Hyper-V guest")[0]


@pytest.mark.parametrize("arguments", [("-DeleteResource",), ("-Uninstall", "-DeleteResource", "-ForceLocalOnly")])
def test_a_wrong_word_is_told(server, arguments):
    ended = server.run(*arguments)
    assert ended.code == 205, ended.out
    assert "-DeleteResource" in ended.out


def test_a_copy_of_a_connected_machine_is_warned_of(server):
    connected(server, resourceName="golden-image")
    ended = server.run()
    assert ended.code == 0, ended.out
    assert outcomes(ended)[4:6] == ["warn", "warn"]
    said = f"connected as golden-image, and this host is {HOST}: renamed, or a copy of a connected machine?"
    steps = {step["name"]: step for step in server.receipt()["steps"]}
    for name in ("preflight", "connect", "confirm"):
        assert steps[name]["outcome"] == "warned"
        assert said in steps[name]["message"]


def test_its_own_name_in_another_form_is_no_copy(server):
    connected(server, resourceName=f"{HOST.upper()}-corp-contoso-com")
    names = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"
    server.registry(**INSTALLED, **{names: {"Hostname": HOST, "Domain": "corp.contoso.com"}})
    ended = server.run()
    assert ended.code == 0, ended.out
    assert "copy" not in ended.out


def test_another_name_than_the_definitions_is_another_resource(server):
    write_bundle(server / "bundle", replace(sample.SECRET, settings=(), resource_name="srv-9"))
    connected(server, resourceName="golden-image")
    ended = server.run(*server.secret())
    assert ended.code == 67, ended.out


def test_an_agent_out_of_contact_says_why(server):
    connected(
        server, status="Disconnected", agentErrorCode="AZCM0026", agentErrorDetails="dial tcp 10.0.0.1:443: i/o timeout"
    )
    ended = server.run()
    assert ended.code == 206, ended.out
    assert "; its error: AZCM0026: dial tcp 10.0.0.1:443: i/o timeout" in server.receipt()["message"]
    assert "-> Open the addresses in config/endpoints.json" in ended.out


@pytest.mark.parametrize(("version", "told"), [("1.70.1", True), ("1.69.9", False)])
def test_a_newer_agent_can_restore_an_expired_identity(server, version, told):
    connected(server, status="Expired", agentVersion=version)
    ended = server.run("-CheckOnly")
    assert ("azcmagent reconnect (preview, from 1.70)" in ended.out) == told, ended.out
    assert ("--reset-identity" in ended.out) == told
    assert "disconnect|" not in asked(server)


RESERVED = "The resource name 'x' or a part of the name is a trademarked or reserved word. Code: ReservedResourceName\n"
POLICY = (
    'Code: RequestDisallowedByPolicy "policyDefinitionDisplayName":"Require a tag","policyDefinitionName":"871b6d14"\n'
)


@pytest.mark.parametrize(
    ("text", "reason", "advice"),
    [
        (RESERVED, "reserved-name", "another resource_name"),
        (POLICY, "policy", 'Have the policy "Require a tag" changed'),
    ],
    ids=["a reserved name", "a policy"],
)
def test_what_does_not_pass_is_not_tried_again(server, text, reason, advice):
    answers(server, "connect", text, 42)
    ended = server.run(*server.secret())
    assert ended.code == 42, ended.out
    assert asked(server).count("connect|--config|") == 1
    assert f"-> {advice}" in ended.out.replace("-> Give", "->")
    assert "Onboarding" not in ended.out
    assert server.receipt()["reason"] == reason


ROW = EndpointCheck(
    host="gbl.his.arc.azure.com", port=443, required=True, expects="any", way="direct", phase="always", feature="core"
)
CHECKS = {
    "an array": ('[{"endpoint":"https://gbl.his.arc.azure.com","reachable":"false"}]', 1, 26, "gbl.his.arc.azure.com"),
    "required, unknown here": (
        '{"https://x.example.com:443/":{"Reachable":false,"Required":true}}',
        0,
        26,
        "x.example.com",
    ),
    "not understood": ("nothing that is known\n", 1, 0, "ended with 1, and its answer is not understood"),
}


@pytest.mark.parametrize("how", CHECKS)
def test_the_agents_own_check_is_heard(server, how):
    text, ends, code, said = CHECKS[how]
    answers(server, "check", text, ends)
    write_bundle(server / "bundle", replace(sample.SECRET, settings=(), checks=(ROW,)))
    ended = server.run(*server.secret())
    assert ended.code == code, ended.out
    assert said in ended.out
