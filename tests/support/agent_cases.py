"""One table of what azcmagent answers, for every stand-in: they never disagree."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "1.67.03512.2900"

ONE = "11111111-2222-3333-4444-555555555555"
TWO = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
CANARY = "hUsh7y$(touch /x)`'\"\\"
WHERE = ("-s", ONE, "-g", "rg", "-l", "eastasia", "-n", "srv1")
PRINCIPAL = ("-t", TWO, "-i", TWO)
SIGNED = (*WHERE, *PRINCIPAL, "-p", CANARY)
SCOPE = f"/subscriptions/{ONE}/resourceGroups/rg/providers/Microsoft.HybridCompute/privateLinkScopes/pls"
GATEWAY = f"/subscriptions/{ONE}/resourceGroups/rg/providers/Microsoft.HybridCompute/gateways/gw"
FILE = {
    "subscription-id": ONE,
    "resource-group": "rg",
    "location": "eastasia",
    "resource-name": "srv1",
    "tenant-id": TWO,
    "service-principal-id": TWO,
    "service-principal-secret": CANARY,
}


@dataclass(frozen=True)
class Step:
    """One command and what it must answer."""

    args: tuple[str, ...]
    code: int = 0
    says: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    json: dict | None = None
    """Some of the keys of the JSON on standard output."""
    elevated: bool = True


@dataclass(frozen=True)
class Case:
    """Commands on one machine, one after another."""

    steps: tuple[Step, ...]
    config: bytes = field(default=json.dumps(FILE).encode())
    lab: dict | None = None
    wine: bool = False
    """Run with the committed executable too."""


def one(*args: str, code: int = 0, says: tuple[str, ...] = (), **others) -> Case:
    case = {name: others.pop(name) for name in ("config", "lab", "wine") if name in others}
    return Case((Step(args, code, says, **others),), **case)


def connect(*args: str, code: int = 0, says: tuple[str, ...] = (), **others) -> Case:
    return one("connect", *args, code=code, says=says, **others)


def settings(args: tuple[str, ...], get: str, value: str, code: int = 0) -> Case:
    return Case((Step(args, code), Step(("config", "get", get), says=(f"{value}\n",))))


def tags(text: str, **expected: str) -> Case:
    return Case(
        (
            Step(("connect", *SIGNED, "--tags", text)),
            Step(("@state",), json={f"tag:{k}": v for k, v in expected.items()}),
        )
    )


FAILED = (
    "INFO    Exit Code:  AZCM{:04d}: ",
    "INFO    For troubleshooting, see https://aka.ms/arc/azcmerror",
    "FATAL   ",
)


def failed(code: int, *says: str) -> dict:
    return {"code": code, "says": (FAILED[0].format(code), *FAILED[1:], *says)}


CASES = {
    # what it is
    "version": one("version", says=(f"azcmagent version {VERSION} (LAB)\n",), elevated=False, wine=True),
    "version in JSON": one("version", "-j", json={"version": VERSION, "lab": True}, elevated=False),
    "help": one("help", says=("LAB", "connect"), elevated=False),
    "no command": one(says=("LAB", "connect"), elevated=False),
    "help of a command": connect("--help", says=("--private-link-scope", "--config"), elevated=False),
    "unknown command": one("conect", **failed(101)),
    "a command that a lab has not": one("upgrade", **failed(3)),
    # who may
    "connect needs root": connect(*SIGNED, **failed(18), elevated=False, wine=True),
    "config needs root": one("config", "list", **failed(18), elevated=False),
    "check needs root": one("check", "-l", "eastasia", **failed(18), elevated=False),
    "disconnect needs root": one("disconnect", "-f", **failed(18), elevated=False),
    "show needs nothing": one("show", says=("Agent Status                            : Disconnected",), elevated=False),
    # the configuration file
    "a configuration file": Case(
        (
            Step(("connect", "--config", "@config"), says=("LAB", "Connected machine to Azure"), never=("hUsh7y",)),
            Step(
                ("show", "-j"),
                json={"status": "Connected", "resourceName": "srv1", "tenantId": TWO, "lab": True},
                elevated=False,
            ),
        ),
        wine=True,
    ),
    "the command line wins": Case(
        (
            Step(("connect", "--config", "@config", "--resource-name=other", "-g", "群組")),
            Step(("show", "-j"), json={"resourceName": "other", "resourceGroup": "群組", "location": "eastasia"}),
        ),
        wine=True,
    ),
    "a configuration file with escapes": Case(
        (
            Step(("connect", "--config", "@config")),
            Step(("show", "-j"), json={"resourceGroup": "é日\U0001f600(x)"}),
            Step(("@state",), json={"tag:a": 'q"\\/\b\f\n\r\t\x7f '}),
        ),
        config=json.dumps(
            {**FILE, "resource-group": "é日\U0001f600(x)", "tags": "a='" + 'q"\\\\/\b\f\n\r\t\x7f ' + "'"}
        ).encode(),
        wine=True,
    ),
    "a configuration file of values that are no strings": Case(
        (Step(("connect", "--config", "@config")),),
        config=b' {"ignore-network-check" : true,\r\n\t"correlation-id":null, ' + json.dumps(FILE)[1:].encode() + b"\n",
    ),
    "no configuration file": connect("--config", "missing.json", **failed(19)),
    "a folder as configuration file": connect("--config", ".", **failed(19)),
    "a configuration file with a byte order mark": connect(
        "--config",
        "@config",
        **failed(19, "byte order mark"),
        config=b"\xef\xbb\xbf" + json.dumps(FILE).encode(),
        wine=True,
    ),
    **{
        f"a configuration file that is no JSON: {bad!r}": connect("--config", "@config", **failed(19), config=bad)
        for bad in (
            b"",
            b"[]",
            b"{",
            b'{"tags"}',
            b'{"tags":"a}',
            b'{"tags":"\\x"}',
            b'{"tags":"\\u00"}',
            b'{"tags":"\\u0000"}',
            b'{"tags":"\\ud800"}',
            b'{"tags":"\\ud800\\u0041"}',
            b'{"tags":"\\udc00"}',
            b'{"tags":"a\nb"}',
            b'{"tags":1.5}',
            b'{"tags":True}',
            b'{"tags":{}}',
            b'{"tags":"a",}',
            b'{"tags":"a"} x',
            b'{"tags":"a"}\0',
            b"subscription-id: 1\n",
            b'\xff\xfe{\x00"\x00',
        )
    },
    "a configuration file with an unknown key": connect("--config", "@config", **failed(23), config=b'{"proxy":"x"}'),
    "a configuration file with a short flag": connect("--config", "@config", **failed(23), config=b'{"p":"x"}'),
    # what is missing
    "nothing given": connect(**failed(16, "--subscription-id")),
    "no resource group": connect("-s", ONE, "-l", "eastasia", **failed(16, "--resource-group")),
    "no location": connect("-s", ONE, "-g", "rg", **failed(16, "--location")),
    "a principal without tenant": connect(*WHERE, "-i", TWO, "-p", "x", **failed(16, "--tenant-id")),
    "a principal without proof": connect(*WHERE, *PRINCIPAL, **failed(16)),
    "a secret without principal": connect(*WHERE, "-p", CANARY, **failed(16), never=("hUsh7y",), wine=True),
    "an empty value is a missing one": connect("-s", "", "-g", "rg", "-l", "eastasia", **failed(16)),
    # what is wrong
    "unknown flag": connect("--no-such-flag", "x", **failed(23, "no-such-flag")),
    "unknown flag with a value": connect(f"--service-principal-secrte={CANARY}", **failed(23), never=("hUsh7y",)),
    "a flag of Microsoft's own that is not in its reference": connect("--proxy", "http://p:1", **failed(23)),
    "a flag of one letter with two dashes": connect("--s", ONE, **failed(23)),
    "a flag without its value": connect("-s", **failed(23)),
    "a switch with a value that is none": connect("--ignore-network-check=yes", **failed(23)),
    "a word that is no flag": connect(*SIGNED, CANARY, **failed(23), never=("hUsh7y",)),
    "a word after two dashes": connect(*SIGNED, "--", "-x", **failed(23)),
    "asynchronous onboarding": connect("existing", **failed(3)),
    "unknown region": connect(*SIGNED, "-l", "moon", **failed(20), wine=True),
    "a region with spaces": Case(
        (Step(("connect", *SIGNED, "-l", "Japan East")), Step(("show", "-j"), json={"location": "japaneast"}))
    ),
    "two regions": connect(*SIGNED, "-l", "eastasia\nwestus", **failed(20)),
    "a region of another cloud": connect(*SIGNED, "--cloud", "AzureChinaCloud", **failed(20)),
    "unknown cloud": connect(*SIGNED, "--cloud", "AzureMoon", **failed(23)),
    "another cloud": Case(
        (
            Step(("connect", *SIGNED, "--cloud", "AzureUSGovernment", "-l", "usgovvirginia")),
            Step(("show", "-j"), json={"cloud": "AzureUSGovernment"}),
        )
    ),
    "a subscription's name": connect(*SIGNED, "-s", "Pay as you go", **failed(68)),
    "a tenant that is none": connect(*SIGNED, "-t", "x", **failed(23)),
    "a tenant's domain": connect(*SIGNED, "-t", "contoso.onmicrosoft.com"),
    "a correlation id that is none": connect(*SIGNED, "--correlation-id", "x", **failed(23)),
    "a resource group with a space": connect(*SIGNED, "-g", "a b", **failed(23)),
    "a resource group that ends with a dot": connect(*SIGNED, "-g", "a.", **failed(23)),
    "a resource group with a quote": connect(*SIGNED, "-g", "a'b", **failed(23)),
    "a resource name with a slash": connect(*SIGNED, "-n", "a/b", **failed(102)),
    "a resource name that ends with a dash": connect(*SIGNED, "-n", "a-", **failed(102)),
    "a scope that is none": connect(*SIGNED, "--private-link-scope", "pls", **failed(23)),
    "a gateway as scope": connect(*SIGNED, "--private-link-scope", GATEWAY, **failed(23)),
    "a certificate that is not there": connect(*WHERE, *PRINCIPAL, "--service-principal-cert", "no.pfx", **failed(107)),
    "a certificate": connect(*WHERE, *PRINCIPAL, "--service-principal-cert", "@config"),
    # what excludes
    "two proofs": connect(*SIGNED, "--service-principal-cert", "@config", **failed(27)),
    "a secret and a device code": connect(*SIGNED, "--use-device-code", **failed(27)),
    "a gateway and a scope": connect(*SIGNED, "--gateway-id", GATEWAY, "--private-link-scope", SCOPE, **failed(27)),
    "a gateway in China": connect(
        *SIGNED, "--gateway-id", GATEWAY, "--cloud", "AzureChinaCloud", "-l", "chinanorth3", **failed(27)
    ),
    # who is not let in
    "a wrong secret": connect(*WHERE, *PRINCIPAL, "-p", "wrong-one", **failed(41), never=("wrong-one",), wine=True),
    "a wrong token": connect(*WHERE, "--access-token", "wrong-one", **failed(12), never=("wrong-one",)),
    "a token": connect(*WHERE, "--access-token", CANARY, never=("hUsh7y",)),
    "a device code": connect(*WHERE, "--use-device-code", says=("https://microsoft.com/devicelogin",)),
    "nobody at Azure CLI": connect(*WHERE, "--use-azcli", **failed(41)),
    "a failure in JSON": connect(
        *WHERE, *PRINCIPAL, "-p", "wrong", "-j", code=41, json={"status": "failed", "lab": True}
    ),
    # the network
    "an endpoint is not reached": connect(
        *SIGNED,
        **failed(26, "required endpoints unavailable: https://agentserviceapi.guestconfiguration.azure.com"),
        lab={"unreachable": "agentserviceapi.guestconfiguration.azure.com"},
    ),
    "an endpoint is not reached, but go on": connect(
        *SIGNED, "--ignore-network-check", lab={"unreachable": "gbl.his.arc.azure.com"}
    ),
    "private addresses without a scope": connect(*SIGNED, **failed(26, "--private-link-scope"), lab={"private": True}),
    "private addresses with a scope": Case(
        (
            Step(("connect", *SIGNED, "--private-link-scope", SCOPE)),
            Step(("show", "-j"), json={"privateLinkScope": SCOPE}),
        ),
        lab={"private": True},
    ),
    "a failure that is asked for": connect(*SIGNED, **failed(42), lab={"fail": "42"}),
    "a failure that passes": Case(
        (Step(("connect", *SIGNED), 42), Step(("connect", *SIGNED))), lab={"fail-once": "42"}, wine=True
    ),
    "a failure in its own words": connect(
        *SIGNED,
        **failed(42, "failed to obtain change token"),
        lab={"fail": "42", "fail-says": "failed to obtain change token"},
    ),
    "an answer that is asked for": Case(
        (
            Step(("connect", *SIGNED)),
            Step(("show", "-j"), 61, says=("{ not json\n",)),
            Step(("check", "-l", "eastasia", "-j"), 0, says=("",), never=("reachable",)),
            Step(("config", "get", "config.mode"), says=("full\n",)),
        ),
        lab={"show-says": "{ not json\n", "show-ends": "61", "check-ends": "0"},
        wine=True,
    ),
    "an identity that has expired": Case(
        (
            Step(("connect", *SIGNED), 44),
            Step(("connect", *SIGNED)),
            Step(("show", "-j"), json={"status": "Expired"}),
            Step(("connect", *SIGNED), 67),
            Step(("disconnect", "-f")),
            Step(("show", "-j"), json={"status": "Disconnected"}),
            Step(("connect", *SIGNED)),
            Step(("show", "-j"), json={"status": "Connected"}),
        ),
        lab={"status": "Expired", "fail-once": "44"},
        wine=True,
    ),
    # connected
    "connect in JSON": connect(*SIGNED, "-j", json={"status": "Connected", "lab": True}),
    "connected already": Case((Step(("connect", *SIGNED)), Step(("connect", *SIGNED), **failed(67))), wine=True),
    "connect, disconnect, connect": Case(
        (
            Step(("connect", *SIGNED)),
            Step(("disconnect", *PRINCIPAL, "-p", "wrong"), 41),
            Step(("show",), says=(": Connected",)),
            Step(("disconnect", *PRINCIPAL, "-p", CANARY), says=("Disconnected machine",)),
            Step(("show",), says=(": Disconnected",)),
            Step(("connect", *SIGNED)),
            Step(("disconnect", "--force-local-only", "-j"), json={"status": "Disconnected"}),
            Step(("disconnect", "-f"), says=("not connected",)),
        ),
        wine=True,
    ),
    "through a gateway": Case(
        (
            Step(("config", "set", "proxy.url", "http://proxy:8080")),
            Step(("connect", *SIGNED, "--gateway-id", GATEWAY)),
            Step(("config", "get", "connection.type"), says=("gateway\n",)),
            Step(
                ("show", "-j"),
                json={
                    "httpsProxy": "http://localhost:40343",
                    "upstreamProxy": "http://proxy:8080",
                    "gatewayUrl": "https://lab-gw.gw.arc.azure.com",
                },
            ),
            Step(("disconnect", "-f")),
            Step(("config", "get", "connection.type"), says=("direct\n",)),
        )
    ),
    "show some": Case(
        (
            Step(
                ("show", "agent version", "Agent Status"),
                says=(f"Agent Version                           : {VERSION}\n",),
                never=("Resource",),
            ),
        )
    ),
    "a damaged state": Case((Step(("@damage",)), Step(("show",), **failed(66)))),
    # tags
    "tags": tags("a=b,c=d", a="b", c="d"),
    "tags with quotes": tags("'a b'='c,d=e',f=", **{"a b": "c,d=e", "f": ""}),
    "tags with backslashes": tags("a=b\\,c,d=\\'e\\\\", a="b,c", d="'e\\"),
    "tags with a value of several =": tags("a=b=c", a="b=c"),
    "tags in another script": tags("部門=営業,x='日 本'", 部門="営業", x="日 本"),
    **{
        f"tags that are none: {bad}": connect(*SIGNED, "--tags", bad, **failed(23))
        for bad in ("a", "=b", "a=b,", "a='b", "a<b=c", ",", "a=" + "v" * 257, ",".join(f"t{i}=v" for i in range(51)))
    },
    # check
    "check": one(
        "check", "-l", "eastasia", says=("LAB", "ENDPOINT", "https://ea.his.arc.azure.com", "|not used"), wine=True
    ),
    "check in JSON": one(
        "check",
        "-l",
        "japaneast",
        "-j",
        json={
            "https://je.his.arc.azure.com": {
                "reachable": True,
                "private": False,
                "tls": "TLS 1.3",
                "proxyStatus": "not used",
                "required": True,
            }
        },
    ),
    "check without a region": one("check", **failed(16)),
    "check an unknown region": one("check", "-l", "moon", **failed(20)),
    "check what is not reached": one(
        "check",
        "-l",
        "eastasia",
        code=26,
        says=("|false      |false    |unknown", "FATAL   required endpoints unavailable: https://pas.windows.net"),
        lab={"unreachable": "pas.windows.net"},
    ),
    "check a private link that is none": one("check", "-l", "eastasia", "-p", code=26, says=("not private",)),
    "check a private link": one("check", "-l", "eastasia", "-p", says=("|true       |true ",), lab={"private": True}),
    "check where it is connected": Case((Step(("connect", *SIGNED)), Step(("check",), says=("ea.his",)))),
    # config
    "config list": one(
        "config",
        "list",
        says=(
            "Local Configuration Settings\n",
            "  incomingconnections.enabled (preview)                 : true\n",
            "  proxy.bypass                                          : []\n",
            "  config.mode                                           : full\n",
        ),
        wine=True,
    ),
    "config info": one("config", "info", says=("extensions.allowlist", "Type: ")),
    "config info of one": one("config", "info", "config.mode", says=("Default: full",), never=("proxy",)),
    "monitor": Case(
        (
            Step(("config", "set", "extensions.blocklist", "A/B")),
            Step(
                ("config", "set", "config.mode", "monitor"),
                says=(
                    "Config property config.mode set to value monitor (previously full)\n",
                    "INFO    Stopping and disabling service: GC Service\n",
                    "INFO    Enabling and starting service: Extension Service\n",
                ),
            ),
            Step(("config", "get", "incomingconnections.enabled"), says=("false\n",)),
            Step(("config", "get", "guestconfiguration.enabled"), says=("false\n",)),
            Step(("config", "get", "extensions.allowlist"), says=("[Microsoft.EnterpriseCloud", "MicrosoftDnsAgent]")),
            Step(("config", "set", "extensions.allowlist", "A/B"), **failed(27)),
            Step(("config", "clear", "extensions.blocklist"), 27),
            Step(("config", "set", "-a", "extensions.blocklist", "A/B"), 27),
            Step(("config", "set", "guestconfiguration.enabled", "true"), 27),
            Step(("config", "set", "proxy.url", "http://p:1")),
            Step(("config", "set", "config.mode", "full"), says=("Enabling and starting service: GC",)),
            Step(("config", "get", "extensions.allowlist"), says=("MicrosoftDnsAgent]",)),
            Step(("config", "clear", "extensions.allowlist")),
            Step(("config", "get", "extensions.allowlist"), says=("[]\n",)),
            Step(("config", "get", "guestconfiguration.enabled"), says=("true\n",)),
        ),
        wine=True,
    ),
    "a list replaces": settings(("config", "set", "proxy.bypass", "AAD, Arc,AAD"), "proxy.bypass", "[AAD,Arc]"),
    "a list grows": Case(
        (
            Step(("config", "set", "proxy.bypass", "AAD")),
            Step(("config", "set", "proxy.bypass", "Arc,AAD", "-a")),
            Step(("config", "get", "proxy.bypass"), says=("[AAD,Arc]\n",)),
            Step(("config", "set", "proxy.bypass", "AAD", "--remove")),
            Step(("config", "get", "proxy.bypass", "-j"), json={"key": "proxy.bypass", "value": "[Arc]"}),
        )
    ),
    "no extension at all": settings(
        ("config", "set", "extensions.allowlist", "Allow/None"), "extensions.allowlist", "[Allow/None]"
    ),
    "ports": settings(
        ("config", "set", "incomingconnections.ports", "22,6516"), "incomingconnections.ports", "[22,6516]"
    ),
    "a proxy": settings(
        ("config", "set", "proxy.url", "http://proxy.example:8080/"), "proxy.url", "http://proxy.example:8080/"
    ),
    "a proxy no more": settings(("config", "set", "proxy.url", ""), "proxy.url", ""),
    **{
        f"config set {bad}": Case(
            (Step(("config", "set", *bad), **failed(23)), Step(("config", "list"), never=("=x",)))
        )
        for bad in (
            ("no.such.key", "x"),
            ("config.mode", "ful"),
            ("config.mode",),
            ("config.mode", "full", "monitor"),
            ("extensions.enabled", "True"),
            ("extensions.agent.cpulimit", "0"),
            ("extensions.agent.cpulimit", "101"),
            ("incomingconnections.ports", "65536"),
            ("incomingconnections.ports", "x"),
            ("extensions.allowlist", "NoSlash"),
            ("extensions.allowlist", "A/B C"),
            ("proxy.bypass", "arc"),
            ("proxy.url", "proxy:8080"),
            ("proxy.url", "http://"),
            ("proxy.url", "http://a b"),
            ("proxy.url", "http://p:1\nx"),
            ("connection.type", "gate"),
            ("config.mode", "full", "-a"),
        )
    },
    "config get of no such key": one("config", "get", "x", **failed(23)),
    "config does not know": one("config", "put", **failed(101)),
    "config list in JSON": one("config", "list", "-j", json={"lab": True}),
}


class Machine:
    """A folder that one stand-in takes for the machine."""

    def __init__(self, command: list[str], root: Path, case: Case, system: str = "linux"):
        self.command, self.root, self.windows = command, root, system == "windows"
        self.state = root / ("AzureConnectedMachineAgent" if self.windows else "var/opt/azcmagent")
        self.config = root / "connect 設定.json"
        self.config.write_bytes(case.config)
        if case.lab is not None:
            self.state.mkdir(parents=True)
            (self.state / "lab.json").write_text(json.dumps(case.lab))

    def run(self, step: Step) -> tuple[int, str]:
        if step.args == ("@state",):
            return 0, self.agent_file().read_text(encoding="utf-8")
        if step.args == ("@damage",):
            self.agent_file().parent.mkdir(parents=True, exist_ok=True)
            self.agent_file().write_text('{"resourceName":')
            return 0, ""
        config = f"Z:{self.config}" if self.windows else str(self.config)
        environment = {
            **os.environ,
            "AZCMAGENT_LAB_ROOT": f"Z:{self.root}" if self.windows else str(self.root),
            "AZCMAGENT_LAB_ELEVATED": str(int(step.elevated)),
        }
        done = subprocess.run(
            [*self.command, *(config if arg == "@config" else arg for arg in step.args)],
            cwd=self.root,
            env=environment,
            capture_output=True,
            check=False,
            timeout=60,
        )
        self.out = done.stdout.decode()
        self.problems = done.stderr
        return done.returncode, self.out + ("" if self.windows else done.stderr.decode())

    def agent_file(self) -> Path:
        return self.state / ("Config/agentconfig.json" if self.windows else "agentconfig.json")


def check(machine: Machine, case: Case) -> None:
    for step in case.steps:
        code, said = machine.run(step)
        assert code == step.code, f"{step.args} ended with {code}: {said} {machine.problems!r}"
        for wanted in step.says:
            if not (machine.windows and wanted.startswith("FATAL   required")):
                assert wanted in said, step.args
        for unwanted in step.never:
            assert unwanted not in said, step.args
        if step.json is not None:
            answer = json.loads(said)
            assert {key: answer.get(key) for key in step.json} == step.json
    for left in machine.state.rglob("*"):
        if left.is_file():
            content = left.read_text(encoding="utf-8")
            assert "hUsh7y" not in content
            assert "wrong-one" not in content
