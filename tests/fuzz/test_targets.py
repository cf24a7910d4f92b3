"""Every parser has a fuzz target, the kept inputs pass, and a fuzz run that tests nothing fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import one, prove, run
from tests.fuzz.targets import CORPUS, TARGETS
from tests.support import limited

ROOT = Path(__file__).resolve().parents[2]

NO_PARSER = {
    "chunks": "reads a file's bytes",
    "asn1_reading": "a part of authenticode",
    "authenticode_values": "read by the target authenticode",
    "compound_directory": "a part of compound_file",
    "compound_errors": "a part of compound_file",
    "compound_sectors": "a part of compound_file",
    "parse_error": "an error",
    "password_strength": "estimates a password of ours",
    "secret_forms": "writes expressions for a secret of ours",
    "secret_shapes": "a table",
    "rpm_header": "a part of rpm",
    "rpm_signature_header": "a part of rpm",
    "rpm_version": "fuzzed by the target versions",
    "sevenzip_source": "a part of sevenzip",
    "shell_words": "writes words of ours for a shell",
}
"""Modules of bundler.formats without a target of their own, and why."""

LARGEST = 32 << 10
"""Bytes of a kept input: the corpus is in every clone."""


def test_every_parser_has_a_target():
    modules = {path.stem for path in (ROOT / "bundler/formats").glob("*.py")} - {"__init__"}
    fuzzed = {target.module.rpartition(".")[2] for target in TARGETS.values()}
    assert modules - fuzzed - set(NO_PARSER) == set()
    assert set(NO_PARSER) - modules == set()


def test_every_target_has_kept_inputs_and_no_other_has():
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    for target in TARGETS.values():
        assert target.corpus(), target.name
        assert all(0 < path.stat().st_size <= LARGEST for path in target.corpus()), target.name


def read_corpus(name: str) -> int:
    target = TARGETS[name]
    call = one.checked(target)
    for path in target.corpus():
        call(path.read_bytes())
    return len(target.corpus())


def read_all() -> int:
    return sum(map(read_corpus, TARGETS))


def test_every_kept_input_is_read_or_refused_as_documented():
    found = limited.call(f"{__name__}:read_all", memory=512 << 20, seconds=60)
    assert (found.error, found.message) == ("", "")
    assert int(found.result) == sum(len(target.corpus()) for target in TARGETS.values())


def test_an_undocumented_error_is_a_fault(tmp_path):
    target = TARGETS["sums"]
    wrong = type(target)("sums", target.module, target.make, ("builtins:KeyError",))
    with pytest.raises(one.Fault, match="sums: ValueError"):
        one.checked(wrong)(b"no list")


def test_an_input_is_repeated_without_atheris(tmp_path):
    place = tmp_path / "input"
    place.write_bytes(b"no list")
    command = [sys.executable, "-m", "tests.fuzz.run", "--target", "sums", "--input", str(place)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "read or refused" in told.stdout


LOG = "#10\tNEW    cov: 7 ft: 9\n#20\tDONE   cov: 8 ft: 9\nstat::number_of_executed_units: 20\n\nexit code 0"


@pytest.mark.parametrize(
    ("log", "failure"),
    [
        (LOG, ""),
        (LOG.replace("cov: 7", "cov: 0").replace("cov: 8", "cov: 0"), "executed nothing, or covered nothing"),
        ("exit code 0", "executed nothing, or covered nothing"),
        (LOG.replace("code 0", "code 1"), "ended with 1, and kept no input"),
    ],
)
def test_a_run_that_tests_nothing_fails(log, failure, monkeypatch):
    monkeypatch.setattr(run, "_run", lambda *_: (log, False))
    monkeypatch.setattr(run, "python", lambda: sys.executable)
    outcome = run.fuzz(TARGETS["sums"], 1)
    assert outcome.failure == failure
    assert ("FAILED" in run.report(outcome)) == bool(failure)
    if not failure:
        assert (outcome.executions, outcome.edges) == (20, 8)


def test_a_failing_input_is_kept_and_named(monkeypatch, tmp_path):
    def fails(command: list[str], _: float) -> tuple[str, bool]:
        folder = next(part for part in command if part.startswith("-artifact_prefix=")).partition("=")[2]
        Path(folder, "crash-1").write_bytes(b"x")
        return f"{LOG}\nFault: sums: KeyError: 'a'\nexit code 77", False

    monkeypatch.setattr(run, "_run", fails)
    monkeypatch.setattr(run, "python", lambda: sys.executable)
    monkeypatch.setattr(run, "KEPT", tmp_path)
    outcome = run.fuzz(TARGETS["sums"], 1)
    assert outcome.failure == "sums: KeyError: 'a'"
    assert (tmp_path / "sums/crash-1").read_bytes() == b"x"
    assert f"make fuzz FUZZ_TARGET=sums FUZZ_INPUT={tmp_path / 'sums/crash-1'}" in run.report(outcome)


def test_what_does_not_end_is_stopped():
    told, hung = run._run([sys.executable, "-c", "while True: pass"], 1)
    assert hung
    assert run._failure(told, (), hung=hung, worked=True) == "did not end"


def test_without_atheris_it_says_so_and_fails(monkeypatch):
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match="fuzzing needs atheris"):
        run.main(["--target", "sums", "--seconds", "1"])


@pytest.mark.parametrize("bound", prove.BOUNDS, ids=[bound.name for bound in prove.BOUNDS])
def test_the_bound_that_is_taken_out_is_there(bound, tmp_path):
    """The copy differs in that one line, and its target fails on a kept input: fuzzing begins with those."""
    prove.copy(bound, tmp_path)
    changed = (tmp_path / bound.file).read_text()
    assert len((ROOT / bound.file).read_text().splitlines()) - len(changed.splitlines()) == 1
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (4, 4))\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        "from tests.fuzz import one, targets\n"
        f"call = one.checked(targets.TARGETS[{bound.target!r}])\n"
        "call(open(sys.argv[1], 'rb').read())"
    )
    ended = [
        subprocess.run([sys.executable, "-c", code, str(seed)], cwd=tmp_path, capture_output=True, check=False)
        for seed in TARGETS[bound.target].corpus()
        if re.search("loop", seed.name)
    ]
    assert any(child.returncode for child in ended)
