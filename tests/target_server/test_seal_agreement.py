"""The program, verify.sh and verify.ps1 give one verdict on a sealed bundle, whatever was done to it."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest

from bundler.errors import VerificationError
from bundler.flow import signer_policy
from bundler.integrity import sums
from bundler.integrity.check import Member, check
from bundler.pack import container
from bundler.render import quoting
from bundler.render.runtime import END
from bundler.trust.verify_seal import verify
from tests.support import bashes, seal_cases
from tests.support import sealed_bundles as sealed
from tests.support.seal_cases import CASES, DAMAGED, DOUBTED, OK, REFUSED
from tests.support.thorough import count

CODES = {"0": OK, "200": DAMAGED, "201": DOUBTED}
SEAL_REASONS = {"no-seal", "other-signer", "bad-seal", "seal-expired", "seal-not-yet-valid", "seal-purpose"} | {
    "seal-weak-key",
    "missing-approval",
    "unknown-approval",
    "bundle-expired",
}


@dataclass(frozen=True)
class Held:
    """A file of a bundle in memory."""

    path: str
    content: bytes
    top: None = None
    mode: None = None
    time: None = None
    time_step: int = 1

    @property
    def size(self) -> int:
        return len(self.content)

    def chunks(self) -> Iterator[bytes]:
        yield self.content


def python(bundle: Path, given: str) -> str:
    """What ``arc-bundler verify`` says of the files and the seal of a folder."""
    with container.open_bundle(bundle) as opened:
        return of_members(opened.walk(), given)


def of_members(members: Iterable[Member], given: str) -> str:
    """The same, of files that are read elsewhere."""
    try:
        now = datetime.now(timezone.utc)
        verify(check(members), signer_policy.read([given], today=now.date()), at=now)
    except VerificationError as error:
        return DOUBTED if error.reason in SEAL_REASONS else DAMAGED
    return OK


def bash_verdicts(program: str, bundles: list[tuple[Path, str]]) -> list[str]:
    verdicts = []
    for bundle, given in bundles:
        command = [program, bundle / "verify.sh", "--signer", given]
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        verdicts.append(CODES.get(str(done.returncode), repr(done.stdout + done.stderr)))
    return verdicts


def powershell_verdicts(program: str, bundles: list[tuple[Path, str]], folder: Path) -> list[str]:
    """One process for all of them: starting one takes longer than its work."""
    file = folder / "all.ps1"
    calls = ((quoting.powershell(str(bundle / "verify.ps1")), quoting.powershell(given)) for bundle, given in bundles)
    lines = (f'& {script} -Signer {given}\nWrite-Host "<<$LASTEXITCODE>>"\n' for script, given in calls)
    file.write_text("".join(lines), encoding="ascii")
    done = subprocess.run(
        [program, "-NoProfile", "-NonInteractive", "-File", file], capture_output=True, text=True, check=False
    )
    found = re.findall(r"(.*?)<<(\d+)>>\n", done.stdout, re.DOTALL)
    assert len(found) == len(bundles), done.stdout[-2000:] + done.stderr
    return [CODES.get(code, said) for said, code in found]


@pytest.fixture(scope="module")
def bundles(tmp_path_factory) -> list[tuple[Path, str]]:
    """The bundle of each case, and whom to believe."""
    folders = seal_cases.Folders(tmp_path_factory.mktemp("cases"))
    return [(folders.damaged(case, number), case.given) for number, case in enumerate(CASES)]


def wrong(verdicts: list[str]) -> dict[str, tuple[str, str]]:
    assert len(verdicts) == len(CASES)
    return {
        case.name: (case.verdict, verdict)
        for case, verdict in zip(CASES, verdicts, strict=True)
        if verdict != case.verdict and not (case.verdict == REFUSED and verdict in (DAMAGED, DOUBTED))
    }


def test_the_names_of_the_cases_are_one_of_a_kind():
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_program(bundles):
    assert wrong([python(bundle, given) for bundle, given in bundles]) == {}


@pytest.mark.parametrize("program", bashes.paths(), ids=bashes.name)
def test_verify_sh(bundles, program):
    assert wrong(bash_verdicts(program, bundles)) == {}


def test_verify_ps1(bundles, powershell, tmp_path):
    assert wrong(powershell_verdicts(powershell, bundles, tmp_path)) == {}


# ---- Single bytes ----

LONG = 7200
"""Seconds for all 10,000 of them on a busy machine; the sample takes a minute."""


class Judge:
    """A process that looks at one bundle again and again, each time by the script's own functions."""

    def __init__(self, command: list[str | Path]) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def verdict(self) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        said = ""
        for line in self._process.stdout:
            found = re.search(r"<<(\d+)>>", line)
            if found:
                return CODES.get(found[1], said)
            said += line
        raise AssertionError(said)

    def close(self) -> None:
        self._process.communicate()


def bash_judge(bundle: Path, given: str, folder: Path) -> Judge:
    """verify.sh without the lines that start it; main runs once for each line of standard input."""
    text = (bundle / "verify.sh").read_text()
    end = '\nmain "$@"; exit\n'
    assert text.count(end) == 1
    loop = f'while read -r _; do ( main --signer {given} </dev/null ); printf "<<%d>>\\n" "$?"; done\n'
    script = text.replace(
        'BUNDLE=$(CDPATH=\'\' cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")"', f"BUNDLE=$(cd {quoting.bash(str(bundle))}"
    )
    assert script.count(str(bundle)) == 1
    (folder / "judge.sh").write_text(script.replace(end, f"\n{loop}exit\n"))
    return Judge(["bash", folder / "judge.sh"])


def powershell_judge(program: str, bundle: Path, given: str, folder: Path) -> Judge:
    text = (bundle / "verify.ps1").read_text()
    head, start, _ = text.partition("if ($Help) ")
    assert start
    found = "$script:Bundle = Split-Path -Parent $PSCommandPath"
    assert found in head
    head = head.replace(found, f"$script:Bundle = {quoting.powershell(str(bundle))}")
    said = "Write-Host ('<<' + (Invoke-Verification) + '>>')"
    loop = f"$Signer = '{given}'\nwhile ($null -ne [Console]::In.ReadLine()) {{ {said} }}\n"
    (folder / "judge.ps1").write_text(f"{head}{loop}{END}\n", encoding="ascii")
    return Judge([program, "-NoProfile", "-NonInteractive", "-File", folder / "judge.ps1"])


def changes(bundle: Path, count: int, seed: int) -> list[tuple[Path, int, int]]:
    """Files, positions and what to add to the byte there: half of them anywhere, half in what seals and is sealed."""
    draw = random.Random(seed)
    files = sorted(path for path in bundle.rglob("*") if path.is_file())
    seals = [path for path in files if not sums.is_listed(path.relative_to(bundle).as_posix())]
    chosen = []
    for number in range(count):
        among = files if number % 2 else seals
        file = draw.choices(among, [path.stat().st_size for path in among])[0]
        chosen.append((file, draw.randrange(file.stat().st_size), draw.randrange(1, 256)))
    return chosen


def with_another(content: bytes, position: int, difference: int) -> bytes:
    other = bytes([(content[position] + difference) % 256])
    return content[:position] + other + content[position + 1 :]


def believed_after(bundle: Path, wanted: list[tuple[Path, int, int]], verdict) -> list[tuple[Path, int, int]]:
    """Those changes that are not noticed; the bundle is as before afterwards."""
    assert verdict() == OK
    unseen = []
    for file, position, difference in wanted:
        content = file.read_bytes()
        file.write_bytes(with_another(content, position, difference))
        said = verdict()
        assert said in (OK, DAMAGED, DOUBTED), said
        if said == OK:
            unseen.append((file, position, difference))
        file.write_bytes(content)
    assert verdict() == OK
    return unseen


@pytest.fixture(params=["rsa2048", "p256"])
def small(request, tmp_path) -> tuple[Path, str]:
    """A sealed and approved bundle of few bytes, and its sealer."""
    sealer = sealed.signer(request.param, f"LAB sealer {request.param}")
    recipe = sealed.Recipe(
        sealer=sealer,
        openpgp=sealed.OpenPgp(),
        approvers=(seal_cases.FIRST, seal_cases.SECOND),
        required=1,
        approved=(seal_cases.FIRST, seal_cases.SECOND),
        serial=20261122010203,
        not_after=sealed.NOW + sealed.DAY,
    )
    return sealed.write(tmp_path / "bundle", recipe), sealer.fingerprint


@pytest.mark.timeout(LONG)
def test_no_byte_can_be_changed_for_the_program(small):
    bundle, given = small
    wanted = changes(bundle, 10_000 // 2, seed=1)
    files = {path: path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    names = {path: path.relative_to(bundle).as_posix() for path in files}

    def verdict(file: Path, content: bytes) -> str:
        held = {**files, file: content}
        return of_members((Held(names[path], held[path]) for path in held), given)

    assert python(bundle, given) == OK
    assert [verdict(file, files[file]) for file in files] == [OK] * len(files)
    assert [one for one in wanted if verdict(one[0], with_another(files[one[0]], *one[1:])) == OK] == []


@pytest.mark.timeout(LONG)
def test_no_byte_can_be_changed_for_verify_sh(small, tmp_path):
    if not bashes.paths():
        pytest.skip("needs bash")
    bundle, given = small
    wanted = changes(bundle, count(300, 10_000) // 2, seed=1)
    judge = bash_judge(bundle, given, tmp_path)
    assert believed_after(bundle, wanted, judge.verdict) == []
    judge.close()


@pytest.mark.timeout(LONG)
def test_no_byte_can_be_changed_for_verify_ps1(small, powershell, tmp_path):
    bundle, given = small
    wanted = changes(bundle, count(300, 10_000) // 2, seed=1)
    judge = powershell_judge(powershell, bundle, given, tmp_path)
    assert believed_after(bundle, wanted, judge.verdict) == []
    judge.close()
