"""Every answer of azcmagent in tests/agent_texts.toml, read by install.ps1's own parts: in one process of each host."""

from __future__ import annotations

from typing import Any

from tests.support import agent_reader_ps1, agent_texts

BOTH_HOSTS = True

ROWS = agent_texts.rows_of("windows")


def given(row: agent_texts.Row) -> dict[str, Any]:
    """A row as the reader takes it, with the bundle's table of endpoints."""
    checks = [{"host": host, "required": True, "way": "direct"} for host in agent_texts.REQUIRED_HOSTS]
    if row.context["gateway"]:
        checks.append({"host": agent_texts.GATEWAY_HOST, "required": True, "way": "gateway"})
    return {"command": row.command, "rc": row.rc, "text": row.text, "context": {**row.context, "checks": checks}}


def mistakes(row: agent_texts.Row, found: dict[str, Any]) -> list[str]:
    """Where what was read differs from what the table wants."""
    wrong = []
    for name, wanted in row.want.items():
        got = found[name]
        if name in ("advice", "error_code", "error_details") and wanted:
            got = wanted if wanted in got else got
        if got != wanted:
            wrong.append(f"{row.name}: {name} is {got!r}, wanted {wanted!r}")
    return wrong


def test_every_answer_is_read(powershell, tmp_path):
    found = agent_reader_ps1.read_all(powershell, tmp_path, [given(row) for row in ROWS])
    wrong = [line for row, one in zip(ROWS, found, strict=True) for line in mistakes(row, one)]
    assert not wrong, "\n".join(wrong)
