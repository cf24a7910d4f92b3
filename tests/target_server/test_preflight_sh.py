"""install.sh's look at the network, in a namespace with real sockets: names, addresses, TCP, TLS, a proxy."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.lab import tls_chains
from bundler.products.arc_server.script_parameters import (
    EndpointCheck,
    Identity,
    NeededRoot,
    UntestedEndpoint,
)
from tests.support import network_namespace as world
from tests.support import sample_bundles as sample
from tests.support import small_root, squid_proxy
from tests.support.receipts import problems
from tests.support.small_root import put

ARC, GAS, LOGIN, ARM = (
    "gbl.his.arc.azure.com", "japaneast-gas.guestconfiguration.azure.com", "login.microsoftonline.com",
    "management.azure.com",
)  # fmt: skip
OPTIONAL = "login.windows.net"
HOSTS = [ARC, GAS, LOGIN, ARM, OPTIONAL]


def check(host, **more) -> EndpointCheck:
    usual = {"port": 443, "required": True, "expects": "public", "way": "direct", "phase": "always", "feature": "core"}
    return EndpointCheck(host=host, **{**usual, **more})


CHECKS = (*(check(host) for host in HOSTS[:4]), check(OPTIONAL, required=False))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    why = world.possible()
    if why:
        pytest.skip(why)
    made = world.Network(f"arc-{os.getpid()}", tmp_path_factory.mktemp("network"))
    try:
        made.start([*HOSTS, "forbidden.example"])
        yield made
    finally:
        made.stop()


@pytest.fixture
def server(tmp_path, network, bash):
    small_root.need()
    root = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    root.network = network.path
    for tool in ("openssl", "getent", "curl"):
        small_root._copy_program(root.root, tool)
    put(root / "etc/nsswitch.conf", "hosts: files\n", 0o644)
    trust(root, network, world.MICROSOFT)
    put(root / "root/secret", "secret\n", 0o600)
    return root


def trust(server, network, *organisations) -> None:
    text = "".join((network.folder / f"{one}.ca.pem").read_text() for one in organisations)
    put(server / "etc/ssl/certs/ca-certificates.crt", text, 0o644)


def names(server, **other) -> None:
    """Every name has the public address, but for ``other`` (by the constants of this module)."""
    given = dict.fromkeys(HOSTS, world.PUBLIC) | {globals()[name]: address for name, address in other.items()}
    lines = [f"{address} {host}" for host, address in given.items() if address]
    put(server / "etc/hosts", "\n".join(["127.0.0.1 localhost", *lines, ""]), 0o644)


def go(server, *arguments, checks=CHECKS, parameters=sample.SECRET, **more):
    sample.write(server / "bundle", replace(parameters, checks=checks, **more))
    return server.run(*arguments, "--secret-file", "/root/secret", "--record-dir", "/records")


def rows(server) -> dict[str, dict]:
    return {row["host"]: row for row in receipt(server)["preflight"]}


def receipt(server) -> dict:
    (path,) = (server / "records").glob("receipt-*.json")
    read = json.loads(path.read_text())
    assert problems(read) == []
    return read


def logged(server) -> str:
    (log,) = (server / "records").glob("*.log")
    return log.read_text()


def test_all_is_well(server):
    names(server)
    ended = go(server)
    assert ended.code == 0, ended.out
    found = rows(server)
    assert {row["verdict"] for row in found.values()} == {"ok"}
    assert found[ARC] == {
        "host": ARC, "port": 443, "way": "direct", "required": True, "resolved": [world.PUBLIC], "kind": "public",
        "tcp": "ok", "tls": "TLSv1.3", "issuer": found[ARC]["issuer"], "verdict": "ok", "message": "",
    }  # fmt: skip
    assert world.MICROSOFT in found[ARC]["issuer"]
    # One line for all; the whole table is in the log.
    assert f"{len(HOSTS)} of {len(HOSTS)} endpoints answer\n" in ended.out
    assert "https://" not in ended.out
    assert f"https://{ARC}" in logged(server)
    assert "certificate by" not in ended.out
    assert "WARNING" not in ended.out


@pytest.mark.parametrize(
    ("address", "tcp", "message"),
    [
        (world.DROPPED, "no answer", "no answer to TCP"),
        (world.REFUSED, "connection refused", "connection refused"),
        (world.OLD_TLS, "ok", "TLS handshake failed"),
        (world.INSPECTED, "ok", "certificate by LAB Inspection is not trusted here"),
        (world.STALLED, "ok", "no TLS answer"),
        (world.WEAK, "ok", "only the cipher AES256-GCM-SHA384 is available, which is not accepted"),
        (world.PRIVATE, "ok", "which is private; expected public"),
        ("", "", "does not resolve"),
    ],
)
def test_exactly_one_address_is_wrong(server, address, tcp, message):
    names(server, LOGIN=address)
    began = time.monotonic()
    ended = go(server)
    assert ended.code == 208, ended.out
    assert time.monotonic() - began < 40
    found = rows(server)
    assert {host: row["verdict"] for host, row in found.items()} == dict.fromkeys(HOSTS, "ok") | {LOGIN: "failed"}
    assert message in found[LOGIN]["message"]
    # Above, one line; below, the failed row alone with its reason, in lines of at most 100 characters.
    assert f"{len(HOSTS) - 1} of {len(HOSTS)} endpoints answer" in ended.out
    assert message in " ".join(ended.out.split())
    assert [host for host in HOSTS if f"https://{host}" in ended.out] == [LOGIN]
    table = ended.out.partition("endpoints answer")[2].partition("required endpoints failed")[0]
    assert max(map(len, table.splitlines())) <= 100
    assert "exit code 208" in ended.out
    assert tcp in found[LOGIN]["tcp"]
    assert not (server / "opt/azcmagent").exists()
    assert not (server / "packages").exists()


def test_what_is_optional_does_not_stop(server):
    names(server, OPTIONAL=world.REFUSED)
    ended = go(server)
    assert ended.code == 0, ended.out
    assert rows(server)[OPTIONAL]["verdict"] == "optional-failed"
    assert "(optional)" in ended.out


def test_tls_that_is_opened_on_the_way_is_told(server, network):
    trust(server, network, world.MICROSOFT, world.INSPECTOR)
    names(server, LOGIN=world.INSPECTED)
    ended = go(server)
    assert ended.code == 0, ended.out
    assert rows(server)[LOGIN]["tls"] == "TLSv1.2"
    assert ended.out.count("certificate by LAB Inspection") == 1


def test_private_addresses_without_a_scope(server):
    names(server, ARC=world.PRIVATE, GAS=world.PRIVATE)
    ended = go(server)
    assert ended.code == 209, ended.out
    assert rows(server)[ARC]["kind"] == "private"
    assert "private link scope" in ended.out
    assert not (server / "packages").exists()


def test_private_link_wants_private_addresses(server):
    scope = (
        f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.HybridCompute/privateLinkScopes/s"
    )
    private = tuple(
        replace(one, expects="private", way="private-endpoint") if one.host in (ARC, GAS) else one for one in CHECKS
    )
    names(server, ARC=world.PRIVATE)
    ended = go(server, checks=private, private_link_scope=scope, profile="private-link")
    assert ended.code == 208, ended.out
    assert rows(server)[GAS]["message"] == f"resolves to {world.PUBLIC}, which is public; expected private"
    assert rows(server)[ARC]["verdict"] == "ok"


def test_by_proxy_names_need_not_resolve(server):
    put(server / "etc/hosts", "127.0.0.1 localhost\n", 0o644)
    proxied = tuple(replace(one, way="proxy", expects="any") for one in CHECKS)
    ended = go(server, checks=proxied, proxy_url=f"http://{world.PROXY}:3128")
    assert ended.code == 0, ended.out
    found = rows(server)
    assert {row["verdict"] for row in found.values()} == {"ok"}
    assert {row["tls"] for row in found.values()} == {"TLSv1.3"}
    assert found[ARC]["kind"] == "none"
    assert "|set" in logged(server)


@pytest.fixture(scope="module")
def squid(network):
    """A real proxy, which refuses the sign-in."""
    why = squid_proxy.missing()
    if why:
        pytest.skip(why)
    made = squid_proxy.Squid(network)
    try:
        made.start(HOSTS, refused=LOGIN)
        yield made
    finally:
        made.remove()


def by_squid(port, *hosts):
    checks = tuple(check(host, way="proxy", expects="any") for host in hosts)
    return {"checks": checks, "proxy_url": f"http://{world.PROXY}:{port}"}


def test_squid_connects(server, squid):
    ended = go(server, **by_squid(squid_proxy.OPEN, ARC, GAS))
    assert ended.code == 0, ended.out
    found = rows(server)
    assert [found[host]["verdict"] for host in (ARC, GAS)] == ["ok", "ok"]
    assert found[ARC]["tls"] == "TLSv1.3"
    assert world.MICROSOFT in found[ARC]["issuer"]
    assert squid.connected()[ARC] == "TCP_TUNNEL/200"


def test_squid_refuses_one(server, squid):
    ended = go(server, **by_squid(squid_proxy.OPEN, ARC, LOGIN))
    assert ended.code == 208, ended.out
    found = rows(server)
    assert (found[ARC]["verdict"], found[LOGIN]["verdict"]) == ("ok", "failed")
    assert "the proxy answers: HTTP/1.1 403 Forbidden" in found[LOGIN]["message"]
    assert squid.connected()[LOGIN] == "TCP_DENIED/403"
    assert not (server / "packages").exists()


def test_squid_asks_for_a_password(server, squid):
    assert squid.process
    ended = go(server, **by_squid(squid_proxy.LOCKED, ARC))
    assert ended.code == 208, ended.out
    assert "the proxy requires a password, which is not supported" in rows(server)[ARC]["message"]


def test_squid_is_down(server, squid):
    squid.stop()
    try:
        ended = go(server, **by_squid(squid_proxy.OPEN, ARC))
    finally:
        squid.start(HOSTS, refused=LOGIN)
    assert ended.code == 208, ended.out
    assert f"the proxy {world.PROXY}:{squid_proxy.OPEN}: connection refused" in ended.out


def test_a_proxy_that_refuses_one(server):
    checks = tuple(replace(one, way="proxy", expects="any") for one in (check("forbidden.example"), *CHECKS))
    ended = go(server, checks=checks, proxy_url=f"http://{world.PROXY}:3128")
    assert ended.code == 208, ended.out
    assert "the proxy answers: HTTP/1.1 403 Forbidden" in rows(server)["forbidden.example"]["message"]


def test_a_proxy_does_not_steer_the_terminal(server):
    checks = (check("steering.example", way="proxy", expects="any"),)
    ended = go(server, checks=checks, proxy_url=f"http://{world.PROXY}:3128")
    assert ended.code == 208, ended.out
    assert "all is well" in ended.out
    for text in (ended.out, *(path.read_text(errors="replace") for path in (server / "records").iterdir())):
        assert not {letter for letter in text if not letter.isprintable()} - {"\n"}, ascii(text)


def test_an_unreachable_proxy(server):
    checks = tuple(replace(one, way="proxy", expects="any") for one in CHECKS)
    ended = go(server, checks=checks, proxy_url=f"http://{world.PROXY}:3129")
    assert ended.code == 208, ended.out
    assert f"the proxy {world.PROXY}:3129: connection refused" in ended.out


def test_curl_where_there_is_no_openssl(server):
    (server / "bin/openssl").unlink()
    names(server, LOGIN=world.INSPECTED)
    ended = go(server)
    assert ended.code == 208, ended.out
    found = rows(server)
    assert found[ARC]["tls"] == "TLSv1.3"
    assert world.MICROSOFT in found[ARC]["issuer"]
    assert "not trusted here" in found[LOGIN]["message"]


def test_a_weak_cipher_by_curl(server):
    (server / "bin/openssl").unlink()
    names(server, LOGIN=world.WEAK)
    ended = go(server)
    assert ended.code == 208, ended.out
    assert "only the cipher AES256-GCM-SHA384 is available" in rows(server)[LOGIN]["message"]


# What openssl 1.0.2 says of an option that came with 1.1.0, and how curl 7.29 of Enterprise Linux 7 tells of TLS.
OLD_OPENSSL = """#!/bin/bash
[[ " $* " != *" -proxy "* ]] || { echo "unknown option -proxy"; echo "usage: s_client args"; exit 1; }
echo "New, TLSv1/SSLv3, Cipher is (NONE)"
"""
OLD_CURL = """#!/bin/bash
printf '* %s\\n' 'Connected to localhost' 'SSL connection using {cipher}' 'Server certificate:' \
    $'\\tsubject: CN=x' $'\\tissuer: CN=Microsoft Azure RSA TLS Issuing CA 08,O=Microsoft Corporation,C=US' >&2
"""


@pytest.mark.parametrize(
    ("cipher", "code"),
    [
        ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0),
        ("ECDHE-RSA-AES256-GCM-SHA384", 0),
        ("TLS_RSA_WITH_AES_128_CBC_SHA", 208),
    ],
)
def test_tls_by_proxy_with_the_tools_of_enterprise_linux_7(server, cipher, code):
    """Its openssl knows no proxy, and its curl tells the cipher without the version."""
    for name, text in (("openssl", OLD_OPENSSL), ("curl", OLD_CURL.format(cipher=cipher))):
        (server / "bin" / name).unlink()
        put(server / "bin" / name, text)
    proxied = tuple(replace(one, way="proxy", expects="any") for one in CHECKS)
    ended = go(server, checks=proxied, proxy_url=f"http://{world.PROXY}:3128")
    assert ended.code == code, ended.out
    found = rows(server)[ARC]
    assert (found["tls"], found["verdict"]) == ("TLS", "failed" if code else "ok")
    assert "O=Microsoft Corporation" in found["issuer"]


def test_without_tools_it_says_what_was_not_tested(server):
    for tool in ("openssl", "curl", "getent"):
        (server / "bin" / tool).unlink()
    (server / "bin/nslookup").unlink(missing_ok=True)
    names(server, LOGIN=world.REFUSED)
    ended = go(server)
    assert ended.code == 208, ended.out
    found = rows(server)
    assert found[ARC]["verdict"] == "untested"
    assert found[ARC]["tls"] == "untested"
    assert "openssl and curl are missing" in ended.out
    assert found[LOGIN]["verdict"] == "failed"


def test_it_can_be_left_out_and_the_receipt_says_so(server):
    names(server, LOGIN=world.REFUSED)
    ended = go(server, "--skip-network-check")
    assert ended.code == 0, ended.out
    written = receipt(server)
    assert (written["preflight"], written["switches"]) == ([], ["--skip-network-check"])


def test_an_address_without_a_name_is_said_to_be_untested(server):
    names(server)
    why = "the code of japanwest in CODE.his.arc.azure.com is not known"
    ended = go(server, "--check", untested=(UntestedEndpoint(host="*.his.arc.azure.com", why=why),))
    assert ended.code == 0, ended.out
    said = f"not tested: *.his.arc.azure.com, which is required: {why}; the agent's own check decides"
    assert said in " ".join(ended.out.split())


def test_looking_tells_all_and_changes_nothing(server):
    names(server, LOGIN=world.REFUSED)
    sample.write(server / "bundle", replace(sample.SECRET, checks=CHECKS))
    before = server.files()
    ended = server.run("--check", "--secret-file", "/root/secret")
    assert ended.code == 208, ended.out
    assert server.files() == before
    assert list((server / "var/tmp").iterdir()) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_missing_root_stops_where_nothing_proves_the_contrary(server, known):
    names(server)
    roots = (NeededRoot(name="LAB root", sha1="AB" * 20, needed_for="azure-tls", required=True),)
    ended = go(server, *(() if known else ("--skip-network-check",)), roots=roots)
    assert ended.code == (0 if known else 210), ended.out
    assert "AB" * 20 in ended.out


def test_a_chain_below_a_new_root(server, network):
    """With the bridge all is well; without it the missing root is named, and is enough where it is known."""
    names(server, LOGIN=world.UNBRIDGED, ARM=world.BRIDGED)
    new = tls_chains.NEW_ROOT
    roots = (NeededRoot(name=new, sha1="AB" * 20, needed_for="azure-tls", required=False, soon=True),)
    ended = go(server, roots=roots)
    assert ended.code == 208, ended.out
    found = rows(server)
    assert {host: row["verdict"] for host, row in found.items()} == dict.fromkeys(HOSTS, "ok") | {LOGIN: "failed"}
    assert found[LOGIN]["message"] == f"says it is of {world.MICROSOFT}; its root {new} is missing here"
    assert f"to add {new}: let the bundle carry it" in ended.out
    assert f"WARNING: this machine does not trust the root {new}" in ended.out
    trust(server, network, world.MICROSOFT, "new-root")
    assert go(server, roots=roots).code == 0


def test_a_missing_root_that_only_some_chains_need_is_a_warning(server):
    names(server)
    roots = (NeededRoot(name="LAB soon", sha1="AB" * 20, needed_for="azure-tls", required=False, soon=True),)
    ended = go(server, roots=roots)
    assert ended.code == 0, ended.out
    assert "WARNING: this machine does not trust the root LAB soon" in ended.out
    step = next(step for step in receipt(server)["steps"] if step["name"] == "preflight")
    assert (step["outcome"], step["code"]) == ("warned", 0)


def test_negative_serial_numbers_are_a_warning(server):
    names(server, ARM=world.NEGATIVE)
    ended = go(server)
    assert ended.code == 0, ended.out
    text = f"WARNING: certificates with negative serial numbers: {ARM} (by LAB root); agents from 1.73 (February 2027)"
    assert text in ended.out
    assert rows(server)[ARM]["verdict"] == "ok"


def test_the_agents_own_check_has_the_last_word(server):
    names(server)
    put(server / "var/opt/azcmagent/lab.json", json.dumps({"unreachable": ARC}), 0o644)
    ended = go(server)
    assert ended.code == 26, ended.out
    assert f"azcmagent check differs: it does not reach {ARC}" in ended.out
    assert f"azcmagent check does not reach {ARC}" in ended.out


@pytest.mark.parametrize(
    ("status", "mode", "tried"),
    [("Disconnected", (), True), ("Connected", ("--check",), True), ("Connected", (), False)],
)
def test_who_has_lost_contact_is_told_why(server, status, mode, tried):
    """The agent knows its resource and does not reach Azure. What connecting alone needs may be closed again."""
    names(server, ARM=world.REFUSED)
    state = {"subscriptionId": sample.SUBSCRIPTION, "resourceGroup": "rg-arc", "resourceName": "srv"}
    put(server / "var/opt/azcmagent/agentconfig.json", json.dumps(state), 0o644)
    put(server / "var/opt/azcmagent/lab.json", json.dumps({"status": status}), 0o644)
    put(server / "dpkg-version", sample.LINUX_VERSION, 0o644)
    for name, source in (("lab-agent", "agent"), ("azcmagent", "wrapper")):
        put(server / "opt/azcmagent/bin" / name, (server / "stand-in" / source).read_text())
    (server / "bin/sleep").unlink()
    put(server / "bin/sleep", "#!/bin/bash\nexec /bin/busybox sleep 0.05\n")
    checks = tuple(replace(one, phase="connect") if one.host == ARM else one for one in CHECKS)
    ended = go(server, *mode, checks=checks)
    assert ended.code == (206 if status == "Disconnected" else 0), ended.out
    assert sorted(rows(server)) == (sorted({*HOSTS} - {ARM}) if tried else [])
    names(server, LOGIN=world.REFUSED)
    for old in (server / "records").glob("*"):
        old.unlink()
    ended = go(server, *mode, checks=checks)
    assert ended.code == (208 if tried else 0), ended.out


@pytest.fixture
def elsewhere(server, tmp_path, request):
    """Another network for this server: its clock is wrong, it is Azure's, or it has an agent's token endpoint."""
    (tmp_path / "network").mkdir()
    made = world.Network(f"arc-{os.getpid()}-2", tmp_path / "network")
    try:
        made.start(HOSTS, identity=str(server.root), **request.param)
        server.network = made.path
        trust(server, made, world.MICROSOFT)
        names(server)
        yield request.param
    finally:
        made.stop()


@pytest.mark.parametrize("elsewhere", [{"skew": 600}, {"skew": -600}], indirect=True)
def test_a_wrong_clock_is_told(server, elsewhere):
    ended = go(server)
    assert ended.code == 0, ended.out
    word = "behind" if elsewhere["skew"] > 0 else "ahead"
    assert f"s {word}" in ended.out.partition("WARNING: this machine's clock is ")[2].splitlines()[0]


@pytest.mark.parametrize("sign", ["run/reboot-required", "run/reboot-needed", "boot/do_purge_kernels"])
def test_a_restart_that_is_due_is_a_warning(server, sign):
    names(server)
    put(server / sign, "", 0o644)
    ended = go(server)
    assert ended.code == 0, ended.out
    assert f"WARNING: a restart of this machine is pending (/{sign})" in ended.out
    (step,) = [step for step in receipt(server)["steps"] if step["name"] == "preflight"]
    assert (step["outcome"], step["code"]) == ("warned", 0)
    assert f"a restart of this machine is pending (/{sign})" in step["message"]


@pytest.mark.parametrize(("since", "due"), [(60, True), (-60, False)])
def test_what_rpm_installed_since_the_start_needs_a_restart(server, since, due):
    """The packages that Red Hat names; the start is the kernel's own word for it."""
    started = int(re.search(r"^btime (\d+)$", Path("/proc/stat").read_text(), re.MULTILINE).group(1))
    answer = f"""#!/bin/bash
[[ "$*" == *INSTALLTIME* ]] || exit 1
echo "{started - 9} glibc"
echo "package dbus is not installed"
echo "{started + since} kernel-core"
echo "{started + since} kernel-core"
echo "{started + since} systemd"
"""
    put(server / "usr/bin/rpm", answer)
    put(server / "etc/os-release", 'ID=rhel\nVERSION_ID="9.4"\n', 0o644)
    (server / "proc").mkdir()
    shutil.copy("/proc/stat", server / "proc/stat")
    names(server)
    ended = go(server, "--check")
    assert ended.code == 0, ended.out
    said = "a restart of this machine is pending (installed since it started: kernel-core systemd)\n"
    assert (said in ended.out) == due, ended.out


@pytest.mark.parametrize("elsewhere", [{"azure": True}], indirect=True)
def test_an_azure_vm_is_refused_but_for_a_test(server, elsewhere):
    assert elsewhere
    ended = go(server)
    assert ended.code == 202, ended.out
    assert "this is an Azure VM (AzurePublicCloud)" in ended.out
    assert not (server / "packages").exists()
    # Nor does it help not to look at the network.
    assert server.run("--skip-network-check", "--secret-file", "/root/secret").code == 202
    (server / "records").rename(server / "refused")
    ended = server.run(
        "--secret-file", "/root/secret", "--record-dir", "/records", environment={"MSFT_ARC_TEST": "true"}
    )
    assert ended.code == 0, ended.out
    assert receipt(server)["switches"] == ["MSFT_ARC_TEST"]


@pytest.mark.parametrize(
    ("cloud", "location", "manager"),
    [
        ("AzureCloud", "japaneast", "management.azure.com"),
        ("AzureUSGovernment", "usgovvirginia", "management.usgovcloudapi.net"),
        ("AzureChinaCloud", "chinanorth3", "management.chinacloudapi.cn"),
    ],
)
@pytest.mark.parametrize("elsewhere", [{}], indirect=True)
def test_the_identity_is_proven_by_a_token(server, elsewhere, cloud, location, manager):
    assert elsewhere == {}
    sample.write(
        server / "bundle", replace(sample.SECRET, cloud=cloud, location=location, identity=Identity(prove=True))
    )
    ended = server.run("--secret-file", "/root/secret", watch=True)
    assert ended.code == 0, ended.out
    assert "its identity returns tokens" in ended.out
    query = f"resource=https%3A%2F%2F{manager}&api-version=2020-06-01"
    assert (server / "asked").read_text() == f"GET /metadata/identity/oauth2/token?{query} HTTP/1.0"
    assert b"cAn4ry" not in ended.out.encode() + ended.seen
    (server / "var/opt/azcmagent/tokens/one.key").unlink()
    assert [path for path, content in server.files().items() if b"cAn4ry" in content] == []


GATEWAY = f"/subscriptions/{sample.SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.HybridCompute/gateways/one"


@pytest.mark.parametrize("elsewhere", [{"gateway": True}, {}], indirect=True)
def test_what_goes_through_the_gateway_is_tried_when_it_is_there(server, elsewhere):
    """Before connecting the agent's proxy is not there; afterwards it is asked, and what it says stops nothing."""
    names(server, GAS="")
    through = {"way": "gateway", "expects": "any"}
    checks = (check(ARC), check(GAS, **through), check("forbidden.example", required=False, **through))
    ended = go(server, checks=checks, gateway_id=GATEWAY, profile="gateway", settings=())
    assert ended.code == 0, ended.out
    found = rows(server)
    (confirm,) = [step for step in receipt(server)["steps"] if step["name"] == "confirm"]
    assert confirm["outcome"] == "warned"
    assert [found[host]["way"] for host in (ARC, GAS)] == ["direct", "gateway"]
    if elsewhere:
        assert [found[host]["verdict"] for host in (GAS, "forbidden.example")] == ["ok", "optional-failed"]
        assert found[GAS]["tls"] == "TLSv1.3"
        assert (
            "not reachable through it: forbidden.example (TCP port 443: the proxy answers: HTTP/1.1 403"
            in confirm["message"]
        )
    else:
        assert (
            f"not reachable through it: {GAS} (TCP port 443: the proxy 127.0.0.1:40343: connection refused"
            in confirm["message"]
        )


def test_an_identity_that_cannot_be_proven(server):
    names(server)
    ended = go(server, identity=Identity(prove=True))
    assert ended.code == 206, ended.out
    assert "port 40342 does not answer" in ended.out


def test_collected_logs_hold_the_table_as_it_is_now(server):
    """Whoever reads them elsewhere has no other; the last receipt may be of a run that did not look."""
    names(server, LOGIN=world.REFUSED)
    sample.write(server / "bundle", replace(sample.SECRET, checks=CHECKS))
    ended = server.run("--collect-logs", "/carry")
    assert ended.code == 0, ended.out
    assert f"https://{LOGIN}" in ended.out
    (archive,) = (server / "carry").iterdir()
    with tarfile.open(archive) as packed:
        table = json.load(packed.extractfile("arc-logs/preflight.json"))
    assert {row["host"]: row["verdict"] for row in table} == dict.fromkeys(HOSTS, "ok") | {LOGIN: "failed"}
    assert list((server / "var/tmp").iterdir()) == []


def test_interrupted_while_it_tries_the_network(server):
    names(server, LOGIN=world.STALLED)
    sample.write(server / "bundle", replace(sample.SECRET, checks=CHECKS))
    process = server.start("--secret-file", "/root/secret")
    waited = time.monotonic() + 30
    while not list((server / "var/tmp").glob("arc-bundler-*/2.tls")):
        assert time.monotonic() < waited
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 207, out
    assert time.monotonic() - began < 8
    assert list((server / "var/tmp").iterdir()) == []
    assert not (server / "packages").exists()
    # What it started has ended with it.
    roots = [entry / "root" for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    assert [path for path in roots if _points_to(path, server.root)] == []


def test_killed_after_its_first_second_it_leaves_a_receipt(server):
    names(server, LOGIN=world.STALLED)
    sample.write(server / "bundle", replace(sample.SECRET, checks=CHECKS))
    process = server.start("--secret-file", "/root/secret", "--record-dir", "/records")
    time.sleep(1)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)
    written = receipt(server)
    assert (written["outcome"], written["code"]) == ("interrupted", 207)
    assert [step["name"] for step in written["steps"]] in ([], ["verify"])


def _points_to(path: Path, folder: Path) -> bool:
    try:
        return path.readlink() == folder
    except OSError:
        return False


DROP_IN = "etc/systemd/system/himdsd.service.d/proxy.conf"


def test_the_variable_of_the_agents_service_is_the_way_that_is_tested(server):
    put(server / "etc/hosts", "127.0.0.1 localhost\n", 0o644)
    put(server / DROP_IN, f'[Service]\nEnvironment="HTTPS_PROXY=http://u:cAn4ry@{world.PROXY}:3128"\n', 0o644)
    ended = go(server)
    assert ended.code == 0, ended.out
    assert {(row["way"], row["verdict"]) for row in rows(server).values()} == {("proxy", "ok")}
    assert f"goes through the proxy of HTTPS_PROXY ({world.PROXY}:3128, in /{DROP_IN}), with a user name" in ended.out
    texts = [path.read_text(errors="replace") for path in (server / "records").iterdir()]
    assert [text for text in (ended.out, *texts) if "cAn4ry" in text] == []


def test_a_stale_variable_is_a_warning_and_what_goes_past_it_is_direct(server):
    names(server)
    put(server / DROP_IN, f"[Service]\nEnvironment=https_proxy=http://{world.PROXY}:3129\n", 0o644)
    ended = go(server, "--check")
    assert ended.code == 0, ended.out
    assert {row["way"] for row in rows(server).values()} == {"direct"}
    (warning,) = receipt(server)["warnings"]
    assert f"({world.PROXY}:3129, in /{DROP_IN}) does not answer: connection refused; set network.proxy" in warning
    put(server / DROP_IN, f"[Service]\nEnvironment=HTTPS_PROXY={world.PROXY}:3128 NO_PROXY=azure.com\n", 0o644)
    shutil.rmtree(server / "records")
    assert go(server, "--check").code == 0
    ways = {host: row["way"] for host, row in rows(server).items()}
    assert ways == {ARC: "direct", GAS: "direct", ARM: "direct", LOGIN: "proxy", OPTIONAL: "proxy"}


def test_check_without_a_secret_reports_the_network(server):
    names(server, LOGIN=world.REFUSED)
    sample.write(server / "bundle", replace(sample.SECRET, checks=CHECKS))
    ended = server.run("--check", "--record-dir", "/records")
    assert ended.code == 208, ended.out
    assert "not looked at: the secret (" in ended.out
    names(server)
    shutil.rmtree(server / "records")
    ended = server.run("--check", "--record-dir", "/records")
    assert ended.code == 0, ended.out
    assert receipt(server)["outcome"] == "checked"
