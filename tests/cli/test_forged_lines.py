"""A name from a certificate or a file begins no line of its own, and steers no terminal, wherever it is shown."""

from __future__ import annotations

import io
import json
import logging
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime, timezone
from types import SimpleNamespace

import pytest

from bundler.cli import console as consoles
from bundler.cli import errors, logs
from bundler.cli.console import Console
from bundler.cli.progress import _PlainTask
from bundler.errors import DefinitionError, Fault, VerificationError
from bundler.render import environment, seal_values
from tests.support.sealed_bundles import Recipe, signer

FORGED = "VERIFIED by y"
NAMES = {
    "a line feed": f"x\n{FORGED}",
    "a carriage return": f"x\r{FORGED}",
    "both": f"x\r\n{FORGED}",
    "NEL": f"x\x85{FORGED}",
    "a line separator": f"x\u2028{FORGED}",
    "a paragraph separator": f"x\u2029{FORGED}",
    "vertical tab": f"x\x0b{FORGED}",
    "form feed": f"x\x0c{FORGED}",
    "ESC": f"x\x1b[1A\x1b[2K{FORGED}",
    "CSI": f"x\x9b1A{FORGED}",
    "right to left": f"x\u202e{FORGED}",
    "isolate": f"x\u2066{FORGED}\u2069",
    "backspaces": f"x\b\b\b{FORGED}",
    "a zero": f"x\0{FORGED}",
    "zero width": f"x\u200b\ufeff{FORGED}",
    "tags": f"x\U000e0041{FORGED}",
}


@pytest.fixture(params=NAMES.values(), ids=NAMES)
def name(request) -> str:
    return request.param


def console(form: str = "text") -> Console:
    moment = datetime(2026, 12, 1, tzinfo=timezone.utc)
    return Console(format=form, quiet=False, verbose=0, progress=False, now=moment, environment={})


def shown(act) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        act()
    return out.getvalue(), err.getvalue()


def assert_harmless(text: str, lines: int) -> None:
    assert FORGED in text
    assert len(text.splitlines()) == text.count("\n") == lines, text
    assert not any(line.startswith(FORGED) for line in text.splitlines())
    assert all(character.isprintable() or character in "\n\t" for character in text), ascii(text)


def test_a_result(name):
    out, _ = shown(lambda: console().emit_result(lambda: [f"  signed by {name}", f"  file {name}"], dict))
    assert_harmless(out, 2)


def test_a_result_as_json(name):
    tree = {"name": name, name: "日本\u3000語"}
    out, _ = shown(lambda: console("json").emit_result(list, lambda: tree))
    assert json.loads(out) == {**tree, "warnings": []}
    assert all(character.isprintable() or character in "\n\u3000" for character in out), ascii(out)


def test_an_error(name):
    error = VerificationError(f"signed by {name}", reason="x", details=[f"detail {name}"], do=f"ask {name}")
    _, err = shown(lambda: errors.report(error, []))
    assert_harmless(err, 3)


def test_an_error_of_a_definition(name):
    error = DefinitionError(f"a {name}", faults=[Fault(path=f"p.{name}", message=f"m {name}", allowed=f"a {name}")])
    _, err = shown(lambda: errors.report(error, []))
    assert_harmless(err, 2)


def test_an_internal_error(name):
    _, err = shown(lambda: errors.report(RuntimeError(f"fault {name}"), []))
    assert_harmless(err, 2)


def test_a_remark_and_a_warning(name):
    _, err = shown(lambda: console().info(f"remark {name}"))
    assert_harmless(err, 1)
    fault = Fault(path="a", message=f"m {name}")
    _, err = shown(lambda: console().warn([fault], SimpleNamespace(__str__=lambda _: "x")))
    assert_harmless(err, 1)


def test_progress(name):
    def act() -> None:
        task = _PlainTask(f"label {name}", None, 0, each=True)
        task.note(f"note {name}")

    _, err = shown(act)
    assert_harmless(err, 1)


def test_a_log(name):
    stream = io.StringIO()
    handler = logs._Handler(stream)
    handler.setFormatter(logs._Formatter("%(levelname)s %(message)s"))
    record = logging.LogRecord("bundler", logging.INFO, "x", 1, "signed by %s", (name,), None)
    handler.emit(record)
    error = ValueError(f"fault\n2026-12-01 INFO {name}")
    trace = (type(error), error, None)
    handler.emit(logging.LogRecord("bundler", logging.ERROR, "x", 1, "failed", (), trace))
    first, second, *traced = stream.getvalue().splitlines()
    assert_harmless(first + "\n", 1)
    assert second == "ERROR failed"
    assert traced
    assert all(line.startswith("  ") for line in traced)


def test_a_certificates_name_in_the_scripts_headers(name):
    """On the server: the literal in the header is the escaped name, in bash and in PowerShell."""
    text = name.replace("\0", "")  # no certificate library writes it, and no shell can hold it
    policy = Recipe(sealer=signer()).vouching()
    recognised = policy.sealer
    renamed = type(policy)(
        **{field: getattr(policy, field) for field in policy.__dataclass_fields__}
        | {"sealer": type(recognised)(signer=_renamed(recognised.signer, text), forms=recognised.forms)}
    )
    values = seal_values.seal_values(renamed)
    assert_harmless(values["signers"][0][2] + "\n", 1)
    rendered = environment.render("shared/windows/seal.ps1.j2", values).decode("ascii")
    joined = rendered.replace("' +\r\n", "").replace("\r\n", " ")
    for character in set(text) - set("x" + FORGED) - {"[", "1", "2", "A", "K"}:
        assert f"[char]{ord(character)}" not in joined
        assert f"[char]0x{ord(character):x}" not in joined.lower()


def _renamed(described, name: str):
    return type(described)(
        **{field: getattr(described, field) for field in described.__dataclass_fields__} | {"name": name}
    )


def test_lines_are_the_only_lines():
    assert consoles.as_lines(["a", "b\tc"]) == "a\nb\tc"
    assert errors.as_lines(["日本\u3000語"]) == "日本\u3000語"
