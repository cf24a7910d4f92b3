"""What a receipt may say: right ones pass, and each thing that would mislead a reader does not."""

from __future__ import annotations

import copy

import pytest

from bundler.products.arc_server.codes import CODES
from tests.support.receipts import problems

RESOURCE = (
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.HybridCompute/machines/a"
)


def address(**changes) -> dict:
    return {
        "host": "gbl.his.arc.azure.com",
        "port": 443,
        "way": "direct",
        "required": True,
        "resolved": ["20.1.2.3", "2603::1"],
        "kind": "public",
        "tcp": "ok",
        "tls": "TLSv1.3",
        "issuer": "C=US, O=Microsoft Corporation, CN=Microsoft Azure RSA TLS Issuing CA 03",
        "verdict": "ok",
        "message": "",
        **changes,
    }


def step(name="verify", outcome="ok", code=0, message="3 files are the ones that were packed") -> dict:
    return {"name": name, "outcome": outcome, "seconds": 0, "code": code, "message": message}


def receipt(**changes) -> dict:
    return {
        "schema": "arc-bundler/receipt/2",
        "machine": "0123abcd",
        "restart_due": False,
        "reason": None,
        "warnings": [],
        "bundle": {"name": "arc", "version": "1", "digest": "ab" * 32, "lab": True, "tool": "arc-bundler 0"},
        "host": {"name": "srv", "os": "ubuntu", "version": "22.04", "architecture": "x86_64"},
        "began": "2026-11-23T22:00:00Z",
        "ended": "2026-11-23T22:00:09Z",
        "mode": "install",
        "steps": [step(), step("preflight", "warned"), step("install", "skipped")],
        "preflight": [address()],
        "agent": {"version": "1.67.03504.1320", "sha256": "cd" * 32},
        "resource_id": RESOURCE,
        "outcome": "connected",
        "code": 0,
        "message": "connected",
        "switches": ["--reconnect"],
        **changes,
    }


NONE = {"agent": {"version": "", "sha256": ""}, "resource_id": "", "switches": [], "preflight": []}
RIGHT = {
    "connected": receipt(),
    "failed": receipt(**NONE, outcome="failed", code=208, message="gbl… fails", steps=[step("x", "failed", 208, "m")]),
    "killed after a second": receipt(**NONE, outcome="interrupted", code=207, message="interrupted", steps=[]),
    "checked": receipt(**NONE, mode="check", outcome="checked", message=""),
    "dry": receipt(**NONE, mode="dry-run", outcome="checked", steps=[step("connect", "would")]),
    "uninstalled": receipt(**NONE, mode="uninstall", outcome="uninstalled"),
    "collected": receipt(mode="collect-logs", outcome="collected"),
    "addresses": receipt(
        preflight=[
            address(verdict="failed", message="m", resolved=[], kind="none", tcp="", tls="", issuer=""),
            address(verdict="optional-failed", required=False, message="m", tcp="no answer"),
            address(verdict="untested", way="gateway", message="m", kind="untested", tcp="untested", tls="untested"),
            address(way="private-endpoint", kind="private", tls="TLS", port=8443),
        ]
    ),
}


@pytest.mark.parametrize("made", RIGHT.values(), ids=RIGHT)
def test_right_ones_pass(made):
    assert problems(made) == []


def old() -> dict:
    """As releases before 0.4.0 wrote it."""
    made = receipt(schema="arc-bundler/receipt/1")
    for key in ("machine", "restart_due", "reason", "warnings"):
        del made[key]
    return made


def test_those_of_older_releases_stay_readable():
    assert problems(old()) == []
    assert problems({**old(), "machine": "0123abcd"})


@pytest.mark.parametrize(
    "changes", [{"reason": "reserved-name"}, {"restart_due": True}, {"restart_due": None}, {"warnings": ["a", "a"]}]
)
def test_what_is_new_in_it_passes(changes):
    assert problems(receipt(**changes)) == []


@pytest.mark.parametrize("key", receipt())
def test_nothing_may_be_missing(key):
    made = receipt()
    del made[key]
    assert problems(made)


@pytest.mark.parametrize(
    "changes",
    [
        {"more": 1},
        {"schema": "arc-bundler/receipt/1"},
        {"schema": "arc-bundler/receipt/3"},
        {"machine": "0123ABCD"},
        {"machine": "0123abc"},
        {"restart_due": "no"},
        {"reason": ""},
        {"reason": "Reserved name"},
        {"reason": "two--hyphens"},
        {"warnings": [""]},
        {"warnings": "a clock"},
        {"began": "2026-11-23 22:00:00"},
        {"ended": "2026-11-23T22:00:00+01:00"},
        {"mode": "connect"},
        {"outcome": "ok"},
        {"code": 256},
        {"code": "0"},
        {"outcome": "failed", "code": 0},
        {"outcome": "failed", "code": 26, "message": ""},
        {"outcome": "interrupted", "code": 0},
        {"outcome": "connected", "code": 26},
        {"outcome": "connected", "resource_id": ""},
        {"outcome": "connected", "agent": {"version": "", "sha256": ""}},
        {"resource_id": "machines/a"},
        {"agent": {"version": "1", "sha256": "CD" * 32}},
        {"switches": ["--reconnect", "--reconnect"]},
        {"steps": [step(outcome="skip")]},
        {"steps": [step(outcome="ok", code=26)]},
        {"steps": [step(outcome="failed", code=0)]},
        {"steps": [{**step(), "secret": "x"}]},
        {"steps": [step(name="Verify")]},
        {"preflight": [address(verdict="maybe")]},
        {"preflight": [address(verdict="failed", message="")]},
        {"preflight": [address(verdict="failed", message="m", required=False)]},
        {"preflight": [address(verdict="optional-failed", message="m")]},
        {"preflight": [address(kind="internal")]},
        {"preflight": [address(tls="TLS 1.3")]},
        {"preflight": [address(resolved="20.1.2.3")]},
        {"preflight": [address(port=0)]},
        {"preflight": [address(way="jump-host")]},
    ],
    ids=str,
)
def test_what_would_mislead_does_not(changes):
    assert problems(receipt(**copy.deepcopy(changes)))


def test_every_code_of_ours_can_stand_in_it():
    for code in CODES:
        assert not problems(receipt(outcome="failed" if code.number != 207 else "interrupted", code=code.number))
