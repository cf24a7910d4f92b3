"""What install.sh does where the agent's answer is not what it hoped for: nothing is left worse than it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.support import sample_bundles as sample
from tests.support import small_root
from tests.support.small_root import put

SAME = sample.LINUX_VERSION
STATE = "var/opt/azcmagent"
RESOURCE = f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/rg-arc/providers/Microsoft.HybridCompute/machines/srv"
GATEWAY = f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.HybridCompute/gateways/one"
RESERVED = (
    "Message: The resource name 'Exchange' or a part of the name is a trademarked or reserved word. "
    "Code: ReservedResourceName httpStatusCode:400"
)


@pytest.fixture
def server(tmp_path, bash):
    """A server with a connected agent."""
    small_root.need()
    root = small_root.make(tmp_path / "root", SAME, bash)
    # A definition without resource_name.
    sample.write(root / "bundle", replace(sample.SECRET, resource_name=""))
    put(root / "root/secret", "cAn4ry-s3cret\n", 0o600)
    put(root / "dpkg-version", SAME, 0o644)
    for name, source in (("lab-agent", "agent"), ("azcmagent", "wrapper")):
        put(root / "opt/azcmagent/bin" / name, (root / "stand-in" / source).read_text())
    connect(root)
    (root / "bin/sleep").unlink()
    put(root / "bin/sleep", "#!/bin/bash\nexit 0\n")
    return root


def connect(server, group="rg-arc", name="srv", **more) -> None:
    words = {"subscriptionId": sample.SUBSCRIPTION, "resourceGroup": group, "resourceName": name, **more}
    put(server / STATE / "agentconfig.json", json.dumps(words), 0o644)


def lab(server, **words: str) -> None:
    put(server / STATE / "lab.json", json.dumps({key.replace("_", "-"): value for key, value in words.items()}), 0o644)


def go(server, *arguments, secret=True):
    given = ("--secret-file", "/root/secret") if secret else ()
    return server.run(*arguments, *given)


def receipt(server) -> dict:
    found = sorted((server / "var/log/arc-bundler").glob("receipt-*.json"), key=lambda path: path.stat().st_mtime_ns)
    return json.loads(found[-1].read_bytes())


def asked(server, verb: str) -> list[str]:
    """The agent's command lines with this verb."""
    lines = (server / "seen").read_text(errors="replace").splitlines() if (server / "seen").exists() else []
    return [line for line in lines if line.startswith(f"ARGUMENTS [{verb}]")]


def hyperv(server) -> None:
    put(server / "sys/class/dmi/id/sys_vendor", "Microsoft Corporation\n", 0o644)
    put(server / "sys/class/dmi/id/product_name", "Virtual Machine\n", 0o644)


UNREADABLE = {
    "61": ({"show_ends": "61"}, 61),
    "64": ({"show_ends": "64"}, 64),
    "66": ({"show_ends": "66"}, 66),
    "another end": ({"show_ends": "1"}, 220),
    "no JSON": ({"show_says": "WARN   something\n{ not json\n", "show_ends": "0"}, 220),
    "no status": ({"show_says": '{"agentVersion": "1.68"}'}, 220),
}


SHORT = ("61", "no JSON")


@pytest.mark.parametrize(
    ("arguments", "how"),
    [(("--uninstall",), how) for how in UNREADABLE]
    + [(arguments, how) for arguments in ((), ("--reconnect",), ("--check",)) for how in SHORT],
)
def test_what_is_not_understood_is_not_called_absent(server, arguments, how):
    says, code = UNREADABLE[how]
    lab(server, **says)
    ended = go(server, *arguments, secret=False)
    assert ended.code == code, ended.out
    assert RESOURCE in ended.out
    assert "systemctl restart himdsd" in ended.out
    assert "secret" not in ended.out
    assert asked(server, "disconnect") == asked(server, "connect") == []
    assert not (server / "packages").exists()
    if arguments != ("--check",):
        written = receipt(server)
        assert (written["outcome"], written["code"], written["reason"]) == ("failed", code, "agent-state-unknown")


def test_an_unknown_state_is_removed_where_that_is_asked_for(server):
    lab(server, show_ends="61")
    ended = go(server, "--uninstall", "--force-local-only", secret=False)
    assert ended.code == 0, ended.out
    assert f"{RESOURCE}, which stays in Azure" in ended.out
    assert asked(server, "disconnect") == ["ARGUMENTS [disconnect] [--force-local-only]"]
    assert "purge" in (server / "packages").read_text()


def test_an_unknown_state_is_connected_anew_where_that_is_asked_for(server):
    lab(server, show_ends="61")
    wrapper = small_root.WRAPPER.replace("exec ", f"[[ $1 != disconnect ]] || rm -f /{STATE}/lab.json\nexec ")
    put(server / "opt/azcmagent/bin/azcmagent", wrapper)
    ended = go(server, "--reconnect", "--force-local-only")
    assert ended.code == 0, ended.out
    assert asked(server, "disconnect") == ["ARGUMENTS [disconnect] [--force-local-only]"]
    assert len(asked(server, "connect")) == 1


def test_a_missing_program_hides_no_connection(server):
    (server / "opt/azcmagent/bin/azcmagent").unlink()
    ended = go(server, "--uninstall", secret=False)
    assert ended.code == 220, ended.out
    assert RESOURCE in ended.out
    assert not (server / "packages").exists()


def test_elsewhere_stays_67(server):
    connect(server, "rg-other")
    assert go(server, "--uninstall").code == 67
    assert asked(server, "disconnect") == []


def test_a_lost_program_that_was_connected_elsewhere_is_not_moved(server):
    connect(server, "rg-other")
    (server / "opt/azcmagent/bin/azcmagent").unlink()
    ended = go(server)
    assert ended.code == 67, ended.out
    assert asked(server, "disconnect") == asked(server, "connect") == []


# ---- Hyper-V


@pytest.mark.parametrize(
    ("guest", "arguments", "deleted"),
    [
        (False, ("--uninstall",), True),
        (True, ("--uninstall",), False),
        (True, ("--uninstall", "--delete-resource"), True),
        (False, ("--uninstall", "--force-local-only"), False),
    ],
)
def test_uninstalling_deletes_no_virtual_machine(server, guest, arguments, deleted):
    if guest:
        hyperv(server)
    ended = go(server, *arguments, secret=deleted)
    assert ended.code == 0, ended.out
    (line,) = asked(server, "disconnect")
    assert ("--force-local-only" not in line) == deleted
    assert (f"{RESOURCE} stays in Azure" in ended.out) == (not deleted)
    assert ("--delete-resource deletes it" in ended.out) == (guest and not deleted)


@pytest.mark.parametrize(
    ("guest", "more", "deleted"),
    [
        (False, (), True),
        (True, (), False),
        (True, ("--delete-resource",), True),
        (False, ("--force-local-only",), False),
    ],
)
def test_moving_deletes_no_virtual_machine(server, guest, more, deleted):
    connect(server, "rg-other")
    if guest:
        hyperv(server)
    ended = go(server, "--reconnect", *more)
    assert ended.code == 0, ended.out
    (line,) = asked(server, "disconnect")
    assert ("--force-local-only" not in line) == deleted
    assert "/resourceGroups/rg-other/" in ended.out
    assert ("stays in Azure" in ended.out) == (not deleted)


@pytest.mark.parametrize(
    "arguments",
    [("--force-local-only",), ("--delete-resource",), ("--uninstall", "--force-local-only", "--delete-resource")],
)
def test_switches_that_do_not_fit_are_205(server, arguments):
    assert go(server, *arguments).code == 205


# ---- a copy of a connected machine


def test_a_copy_of_a_connected_machine_is_warned(server):
    connect(server, name="vm")
    ended = go(server, secret=False)
    assert ended.code == 0, ended.out
    text = "connected as vm, and this host is srv: renamed, or a copy of a connected machine?"
    assert ended.out.count(text) >= 2
    assert "azcmagent disconnect --force-local-only" in ended.out
    assert text in json.dumps(receipt(server))


def test_a_copy_where_the_definition_names_the_resource_is_67(server):
    sample.write(server / "bundle", replace(sample.SECRET, resource_name="srv"))
    connect(server, name="vm")
    assert go(server, secret=False).code == 67


def test_a_copy_deletes_nothing_of_the_original(server):
    put(server / "sys/class/dmi/id/product_uuid", "0f9a3b1c-0000-4000-8000-000000000001\n", 0o644)
    shown = {
        "status": "Connected", "subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-arc", "resourceName": "srv",
        "vmUuid": "A1B2C3D4-E5F6-4789-8ABC-0123456789AB",
    }  # fmt: skip
    lab(server, show_says=json.dumps(shown))
    ended = go(server, "--uninstall", secret=False)
    assert ended.code == 0, ended.out
    assert asked(server, "disconnect") == ["ARGUMENTS [disconnect] [--force-local-only]"]
    assert "other hardware" in ended.out


def test_a_copy_that_is_moved_deletes_nothing_of_the_original(server):
    put(server / "sys/class/dmi/id/product_uuid", "0f9a3b1c-0000-4000-8000-000000000001\n", 0o644)
    connect(server, "rg-other")
    shown = {
        "status": "Connected", "subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-other",
        "resourceName": "srv", "vmUuid": "A1B2C3D4-E5F6-4789-8ABC-0123456789AB",
    }  # fmt: skip
    lab(server, show_says=json.dumps(shown))
    wrapper = small_root.WRAPPER.replace("exec ", f"[[ $1 != disconnect ]] || rm -f /{STATE}/lab.json\nexec ")
    put(server / "opt/azcmagent/bin/azcmagent", wrapper)
    ended = go(server, "--reconnect")
    assert ended.code == 0, ended.out
    # The agent's check, which is read in between, does not put what it said of its hardware out of mind.
    assert len(asked(server, "check")) == 1
    assert asked(server, "disconnect") == ["ARGUMENTS [disconnect] [--force-local-only]"]
    assert "other hardware" in ended.out


# ---- errors of the agent's own


def told(server, status, **more) -> None:
    shown = {"status": status, "subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-arc", "resourceName": "srv"}
    lab(server, show_says=json.dumps({**shown, **more}))


@pytest.mark.parametrize(
    ("status", "more", "said", "reason"),
    [
        ("Disconnected", {"agentErrorCode": "AZCM0081"}, "Delete the resource in Azure", "agent-disconnected"),
        ("Error", {"agentErrorDetails": "AADSTS7000222: The keys are expired."}, "AADSTS7000222", "secret-expired"),
        ("Disconnected", {}, "Run azcmagent check", "agent-disconnected"),
    ],
)  # fmt: skip
def test_the_agents_own_error_is_shown_with_its_advice(server, status, more, said, reason):
    told(server, status, **more)
    ended = go(server, "--skip-network-check", secret=False)
    assert ended.code == 206, ended.out
    assert said in ended.out.partition("[6/7]")[2]
    for value in more.values():
        assert value in ended.out.partition("[6/7]")[2]
    assert receipt(server)["reason"] == reason


@pytest.mark.parametrize(("version", "said"), [("1.70.03600.1400", True), ("1.60.00000.1", False)])
def test_an_expired_identity_has_another_way_back(server, version, said):
    told(server, "Expired", agentVersion=version)
    ended = go(server, "--check", "--skip-network-check", secret=False)
    assert "its identity has expired" in ended.out or "identity has expired" in ended.out
    assert ("azcmagent reconnect (preview" in ended.out) == said
    assert ("--reset-identity" in ended.out) == said
    assert asked(server, "reconnect") == asked(server, "disconnect") == []


# ---- azcmagent check


def new(server) -> None:
    """Not connected yet."""
    (server / STATE / "agentconfig.json").unlink()


@pytest.mark.parametrize(
    ("says", "code", "said"),
    [
        ('[{"endpoint":"https://n.azure.com","reachable":"no","Required":"true"}]', 26, "does not reach n.azure.com"),
        ('{"https://new.arc.azure.com":{"reachable":false,"Required":true}}', 26, "does not reach new.arc.azure.com"),
        ("", 0, "the agent's own check ended with 1, and its answer is not understood"),
        ('{"https://x.azure.com":{"reachable":false,"Required":false}}', 0, "does not reach x.azure.com (not required"),
        ('{"https://x.azure.com":{"reachable":true,"Required":true}}', 0, "names no address that it does not reach"),
    ],
)  # fmt: skip
def test_the_agents_check_is_never_passed_over(server, says, code, said):
    new(server)
    lab(server, check_says=says, check_ends="1")
    ended = go(server)
    assert ended.code == code, ended.out
    assert said in ended.out
    if code == 0:
        assert "warn" in ended.out.partition("[5/7]")[2].splitlines()[0]
    assert bool(asked(server, "connect")) == (code == 0)
    assert receipt(server)["reason"] == ("network" if code else None)


# ---- why connecting failed


@pytest.mark.parametrize(
    ("says", "tries", "said", "reason"),
    [
        (RESERVED, 1, "Give another resource_name", "reserved-name"),
        ("The subscription is not registered to use namespace 'x'.", 1, "Register", "provider-not-registered"),
        ('RequestDisallowedByPolicy {"policyDefinitionDisplayName":"Tags & more"}', 1, '"Tags & more"', "policy"),
        ("the client does not have authorization to perform action 'x'", 4, "Onboarding", "role"),
        ("something else", 4, "Onboarding", None),
    ],
)  # fmt: skip
def test_42_is_told_apart_by_its_message(server, says, tries, said, reason):
    new(server)
    lab(server, fail="42", fail_says=says)
    ended = go(server)
    assert ended.code == 42, ended.out
    assert len(asked(server, "connect")) == tries
    assert said in ended.out.partition("Stopped with exit code 42")[2]
    assert receipt(server)["reason"] == reason


# ---- the gateway


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        ({"httpsProxy": "http://127.0.0.1:40343/"}, 0, ", through the gateway"),
        ({"connectionType": "gateway"}, 0, ", through the gateway"),
        ({"httpsProxy": "http://proxy:8080"}, 206, 'HTTPS proxy is "http://proxy:8080", its connection type unknown'),
    ],
)
def test_the_gateways_proof(server, more, code, said):
    sample.write(server / "bundle", replace(sample.SECRET, resource_name="", gateway_id=GATEWAY, profile="gateway"))
    told(server, "Connected", **more)
    ended = go(server, "--skip-network-check", secret=False)
    assert ended.code == code, ended.out
    assert said in ended.out


def test_a_gateway_that_is_not_mentioned_is_a_warning(server):
    sample.write(server / "bundle", replace(sample.SECRET, resource_name="", gateway_id=GATEWAY, profile="gateway"))
    told(server, "Connected")
    put(
        server / "opt/azcmagent/bin/azcmagent",
        small_root.WRAPPER.replace(
            "exec ", '[[ "$*" != "config get connection.type" && "$*" != "config list" ]] || exit 1\nexec '
        ),
    )
    ended = go(server, "--skip-network-check", secret=False)
    assert ended.code == 0, ended.out
    assert "does not say whether it goes through the gateway" in ended.out


def test_an_agent_that_needs_a_moment_after_its_installation_is_waited_for(server):
    """The service of a new package answers late; that machine was not connected."""
    new(server)
    put(server / "dpkg-version", "1.66.03471.1262", 0o644)
    wrapper = small_root.WRAPPER.replace(
        "exec ", "if [[ $1 == show && -e /packages && ! -e /answered ]]; then : >/answered; exit 61; fi\nexec "
    )
    for place in ("stand-in/wrapper", "opt/azcmagent/bin/azcmagent"):
        put(server / place, wrapper)
    ended = go(server)
    assert ended.code == 0, ended.out
