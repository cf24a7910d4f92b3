"""Let shellcheck and the PowerShell linter read the runtime's parts, and the scripts of bundles of every kind.

Run by ``make lint``; ends with 1 where there is a finding.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bundler.render.environment import templates
from tests.support import powershell_hosts, sample_bundles, sealed_bundles


def render(folder: Path) -> None:
    """Every onboarding on every target, each platform alone, and sealed bundles."""
    for name, onboarding in sample_bundles.ONBOARDINGS.items():
        sample_bundles.write(folder / name, onboarding, lab=name == "plain")
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


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        render(Path(folder))
        bash = sorted(Path(folder).rglob("*.sh"))
        windows = sorted(Path(folder).rglob("*.ps1"))
        assert bash
        assert windows
        parts = sorted(templates().rglob("runtime/linux/*.sh"))
        assert parts
        found = shellcheck(bash), shellcheck(parts), powershell(windows)
        sys.stdout.write(
            f"{len(bash)} bash and {len(windows)} PowerShell scripts rendered and read; {len(parts)} parts in bash\n"
        )
        return int(any(found))


if __name__ == "__main__":
    sys.exit(main())
