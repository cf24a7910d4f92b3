"""verify.sh and verify.ps1 ask for the fingerprint first, and never show the one that was to be given."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bundler.formats import fingerprint_words
from bundler.render import quoting
from tests.support import seal_cases as cases
from tests.support import sealed_bundles as sealed
from tests.support.seal_cases import SEALER, STRANGER

BOTH_HOSTS = True

RIGHT = SEALER.fingerprint
WORDS = fingerprint_words.words(RIGHT)
STRANGERS = fingerprint_words.words(STRANGER.fingerprint)
RECIPE = replace(cases.BOTH, lab=True)
PGP = RECIPE.openpgp.fingerprint


def with_words(*places: int) -> str:
    """The sealer's words, with another one at each of these places, counted from 1."""
    return " ".join("quiz" if at in places and word != "quiz" else word for at, word in enumerate(WORDS, 1))


def with_digits(*groups: int) -> str:
    parts = list(fingerprint_words.digits(RIGHT))
    for at in groups:
        parts[at - 1] = f"{int(parts[at - 1], 16) ^ 1:04x}"
    return " ".join(parts)


# What is given, the exit code, and what is said of it.
GIVEN = {
    "digits": (RIGHT, 0, "matches the fingerprint you gave"),
    "digits in groups": (with_digits(), 0, "matches"),
    "words": (" ".join(WORDS), 0, "matches"),
    "words in capitals, four letters": (" ".join(word[:4].upper() for word in WORDS), 0, "matches"),
    "none": ("", 201, "NOT TIED TO A FINGERPRINT"),
    "first word": (with_words(1), 201, r"word 1 of 24 does not match; have it read to you again"),
    "last word": (with_words(24), 201, r"word 24 of 24 does not match"),
    "four words": (with_words(2, 3, 5, 8), 201, r"words 2, 3, 5, 8 of 24 do not match"),
    "two words exchanged": (
        " ".join([WORDS[1], WORDS[0], *WORDS[2:]]),
        201,
        r"words 1, 2 of 24 do not match",
    ),
    "a stranger's words": (" ".join(STRANGERS), 201, r"\d+ of its 24 words do not match"),
    "one group": (with_digits(7), 201, r"group 7 of 16 does not match"),
    "first and last group": (with_digits(1, 16), 201, r"groups 1, 16 of 16 do not match"),
    "a stranger's digits": (STRANGER.fingerprint, 201, r"\d+ of its 16 groups do not match"),
    "another OpenPGP key": ("0" * 40, 201, r"of its 10 groups do not match"),
    "23 words": (" ".join(WORDS[1:]), 205, "24 words"),
    "a digit short": (RIGHT[1:], 205, "64 hex digits"),
    "a digit more": (RIGHT + "0", 205, "64 hex digits"),
}


def ends_of(output: str) -> list[tuple[int, str]]:
    return [(int(code), said) for said, code in re.findall(r"(.*?)<<(\d+)>>\n", output, re.DOTALL)]


def in_bash(bash: str, bundle: Path, given: list[str]) -> list[tuple[int, str]]:
    lines = "".join(
        f"{quoting.bash(bash)} {quoting.bash(str(bundle / 'verify.sh'))} "
        f'{"--signer " + quoting.bash(one) if one else ""} 2>&1 </dev/null; echo "<<$?>>"\n'
        for one in given
    )
    done = subprocess.run([bash, "-s"], input=lines, capture_output=True, text=True, check=True)
    return ends_of(done.stdout)


def in_powershell(powershell: str, bundle: Path, given: list[str]) -> list[tuple[int, str]]:
    script = "".join(
        f"& {quoting.powershell(str(bundle / 'verify.ps1'))} "
        f'-Signer {quoting.powershell(one)}\nWrite-Host "<<$LASTEXITCODE>>"\n'
        for one in given
    )
    file = bundle.parent / "all.ps1"
    file.write_text(script, encoding="ascii")
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", file]
    return ends_of(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def shows_the_right_one(said: str, given: str) -> bool:
    """Whether a word or a group of the sealer's fingerprint, beyond what was given, is in the text."""
    seen = re.sub(r"Digest of this bundle: [0-9a-f]{64}", "", said).lower()
    parts = {*(word for word in WORDS if len(word) > 5), *fingerprint_words.digits(RIGHT), RIGHT[:8]}
    return any(re.search(rf"\b{part}", seen) for part in parts) or "signed by:" in seen


def check_all(answers: list[tuple[int, str]]) -> None:
    assert len(answers) == len(GIVEN)
    for (name, (given, code, expected)), (ended, said) in zip(GIVEN.items(), answers, strict=True):
        assert (name, ended) == (name, code), said
        assert re.search(expected, said), (name, said)
        if code != 0:
            assert not shows_the_right_one(said, given), (name, said)
        else:
            assert "Signed by:" in said
            assert WORDS[-1] in said


@pytest.fixture
def bundle(tmp_path) -> Path:
    return sealed.write(tmp_path / "outputs" / "bundle", RECIPE)


def test_verify_sh_shows_the_fingerprint_only_to_who_has_it(bash, bundle):
    check_all(in_bash(bash, bundle, [given for given, _, _ in GIVEN.values()]))


def test_verify_ps1_shows_the_fingerprint_only_to_who_has_it(powershell, bundle):
    check_all(in_powershell(powershell, bundle, [given for given, _, _ in GIVEN.values()]))


def test_an_openpgp_fingerprint_cannot_be_checked_on_windows(powershell, bundle):
    ((code, said),) = in_powershell(powershell, bundle, [PGP])
    assert (code, "CANNOT BE CHECKED" in said) == (213, True), said
    assert not shows_the_right_one(said, PGP)


@pytest.mark.parametrize("name", ["arc-tokyo-1.fingerprint.txt", "ARC.FINGERPRINT.TXT"])
def test_a_fingerprint_beside_the_bundle_is_warned_of(bash, powershell, bundle, name):
    beside = bundle.parent / name
    for answer in (in_bash(bash, bundle, [RIGHT]), in_powershell(powershell, bundle, [RIGHT])):
        assert "WARNING" not in answer[0][1]
    beside.write_text("x")
    for answer in (in_bash(bash, bundle, [RIGHT]), in_powershell(powershell, bundle, [RIGHT])):
        assert answer[0][0] == 0
        assert f"WARNING: {name} lies beside this bundle" in answer[0][1]
    beside.unlink()
    # In the folder above it is where `build` puts it.
    (bundle.parent.parent / name).write_text("x")
    for answer in (in_bash(bash, bundle, [RIGHT]), in_powershell(powershell, bundle, [RIGHT])):
        assert "WARNING" not in answer[0][1]
        (bundle.parent.parent / name).write_text("x")


# ---- What cannot be checked is not wrong ----

NO_CMS = '#!/bin/sh\n[ $1 = version ] && exit 0\necho "{}" >&2\nexit 1\n'
BROKEN = {
    "cannot start": "#!/bin/sh\nexit 127\n",
    "has no cms": NO_CMS.format("openssl:Error: 'cms' is an invalid command."),
    "has no cms, as 3 says it": NO_CMS.format("Invalid command 'cms'; type help for a list."),
}


@pytest.mark.parametrize("program", BROKEN.values(), ids=BROKEN)
def test_an_openssl_that_checks_nothing_is_as_good_as_none(bash, tmp_path, program):
    bundle = sealed.write(tmp_path / "bundle", replace(cases.PLAIN, lab=True))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/openssl").write_text(program)
    (tmp_path / "bin/openssl").chmod(0o755)

    def ended(*arguments: str) -> int:
        command = [bash, bundle / "verify.sh", *arguments]
        path = f"{tmp_path}/bin:/usr/bin:/bin"
        return subprocess.run(command, env={"PATH": path}, capture_output=True, check=False).returncode

    assert ended("--signer", RIGHT) == 213
    assert ended() == 213
    assert ended("--signer", STRANGER.fingerprint) == 201
    cases.removed(cases.P7S)(bundle)
    assert ended("--signer", RIGHT) == 201


NO_READER = """
. {text}
$script:SealFaults = @(); $script:SealUnchecked = @()
$SealSigners = @(); $RequiredApprovals = 0; $NotAfter = 0; $script:PresentFiles = @()
. {seal}
function Add-Type {{ throw 'no such assembly' }}
Test-Seal
Write-Output ($script:SealFaults.Count, $script:SealUnchecked.Count -join ' ')
$lacking = New-Object Security.Cryptography.CryptographicException ([int]-2146889726)
$wrong = New-Object Security.Cryptography.CryptographicException ([int]-2146893818)
Write-Output ((Test-Unsupported $lacking), (Test-Unsupported $wrong) -join ' ')
Write-Output (Test-Unsupported (New-Object PlatformNotSupportedException))
"""


def test_a_powershell_without_signedcms_says_so(powershell, tmp_path):
    parts = Path(__file__).resolve().parents[2] / "templates/runtime/windows"
    script = NO_READER.format(text=parts / "text.ps1", seal=parts / "seal.ps1")
    (tmp_path / "seal.ps1").write_text(script)
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", tmp_path / "seal.ps1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[:3] == ["0 1", "True False", "True"], done.stdout + done.stderr
