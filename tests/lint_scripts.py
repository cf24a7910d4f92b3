"""Let shellcheck, the PowerShell linter and PSScriptAnalyzer read the runtime's parts, and scripts of every kind.

Run by ``make lint``; ends with 1 where there is a finding.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bundler.render import quoting
from bundler.render.environment import templates
from tests.support import powershell_hosts, sample_bundles, sealed_bundles

ANALYZER_SETTINGS = Path(__file__).resolve().parents[1] / "PSScriptAnalyzerSettings.psd1"
ORDINAL = Path(__file__).resolve().parents[1] / "tools" / "ordinal.ps1"


def render(folder: Path) -> None:
    """Every set of parameters on every target, each platform alone, and sealed bundles."""
    for name, parameters in sample_bundles.ONBOARDINGS.items():
        sample_bundles.write(folder / name, parameters, lab=name == "plain")
    sample_bundles.write(folder / "thumbprint", sample_bundles.THUMBPRINT, pins=(sample_bundles.MSI,))
    sample_bundles.write(folder / "linux", pins=(sample_bundles.DEB,))
    sealed_bundles.write(folder / "sealed", sealed_bundles.Recipe(sealer=sealed_bundles.signer()))
    hostile = sealed_bundles.signer("p256", "`$(touch pwned)' \"; \u2019\n\u6771")
    approved = sealed_bundles.Recipe(
        sealer=hostile,
        openpgp=sealed_bundles.OpenPgp(),
        approvers=(hostile, sealed_bundles.signer("p384", "it's")),
        required=1,
        serial=20261122010203,
        not_after=sealed_bundles.NOW,
    )
    sealed_bundles.write(folder / "approved", approved)


def shellcheck(scripts: list[Path]) -> int:
    """shellcheck's findings; it comes with the development packages. Parts have ``.shellcheckrc`` above them."""
    beside = Path(sys.executable).with_name("shellcheck")
    program = str(beside) if beside.is_file() else shutil.which("shellcheck")
    if program is None:
        sys.stderr.write("shellcheck is missing: make setup installs it (or apt install shellcheck)\n")
        return 1
    return subprocess.run([program, "--shell=bash", "--severity=style", *scripts], check=False).returncode


def powershell(scripts: list[Path]) -> int:
    """The linter that says what the oldest Windows targets would not run."""
    program = powershell_hosts.find_linter()
    if program is None:
        sys.stderr.write(f"{powershell_hosts.REASON}; the PowerShell scripts were not looked at\n")
        return int(powershell_hosts.demanded())
    return subprocess.run([program, "-Lint", *scripts], check=False).returncode


def ordinal(scripts: list[Path]) -> int:
    """The rule of ``tools/ordinal.ps1``: text is compared by its code units, not by the culture."""
    program = powershell_hosts.find()
    if program is None:
        sys.stderr.write(f"{powershell_hosts.REASON}; the PowerShell scripts' comparisons were not looked at\n")
        return int(powershell_hosts.demanded())
    command = [program, "-NoProfile", "-NonInteractive", "-File", ORDINAL, *scripts]
    return subprocess.run(command, check=False).returncode


# Every finding as FILE:LINE, whatever its severity; a file that does not parse is one, too.
ANALYZE = """
$found = @({files} | ForEach-Object {{ Invoke-ScriptAnalyzer -Path $_ -Settings {settings} }})
foreach ($one in $found) {{ '{{0}}:{{1}}: {{2}}: {{3}}' -f $one.ScriptPath, $one.Line, $one.RuleName, $one.Message }}
exit [int]($found.Count -gt 0)
"""


def analyzer(scripts: list[Path]) -> int:
    """PSScriptAnalyzer's findings, by the settings at the top of the repository; it is a module of PowerShell 7."""
    program = powershell_hosts.find_microsofts()
    if program is None:
        sys.stderr.write("no pwsh with PSScriptAnalyzer: put pwsh on PATH; the PowerShell scripts were not analyzed\n")
        return int(powershell_hosts.demanded())
    text = ANALYZE.format(
        files=quoting.powershell_list(map(str, scripts)), settings=quoting.powershell(str(ANALYZER_SETTINGS))
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "analyze.ps1"
        file.write_text(text, encoding="ascii")
        return subprocess.run([program, "-NoProfile", "-NonInteractive", "-File", file], check=False).returncode


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        render(Path(folder))
        bash = sorted(Path(folder).rglob("*.sh"))
        windows = sorted(Path(folder).rglob("*.ps1"))
        assert bash
        assert windows
        parts = sorted(templates().rglob("runtime/linux/*.sh"))
        assert parts
        windows_parts = sorted(templates().rglob("runtime/windows/*.ps1"))
        assert windows_parts
        # The rest of these has the same runtime.
        made = [path for path in windows if path.parent.name in {"sealed", "approved", "hostile"}]
        assert len(made) == 6
        found = (
            shellcheck(bash),
            shellcheck(parts),
            powershell([*windows, *windows_parts]),
            ordinal([*made, *windows_parts]),
            analyzer([*made, *windows_parts]),
        )
        sys.stdout.write(
            f"{len(bash)} bash and {len(windows)} PowerShell scripts rendered and read; "
            f"{len(parts)} parts in bash, {len(windows_parts)} in PowerShell\n"
        )
        return int(any(found))


if __name__ == "__main__":
    sys.exit(main())
