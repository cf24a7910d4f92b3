"""Write docs/codes.md and the runtime's tables from the table of exit codes, or report where they differ from it.

Run by ``make docs``; ``--check`` changes nothing and ends with 1 where a file differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bundler.products.arc_server.codes import AGENT, CODES, GRAVITY, LINUX, WINDOWS, Code
from bundler.products.arc_server.reasons import NAME, REASONS
from bundler.render import quoting

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "codes.md"
RUNTIME = ROOT / "templates" / "arc-server" / "runtime"

POWERSHELL_HEAD = """\
# What an exit code means and what to do: Microsoft's numbers below 200, this script's from there.
# Made by `make docs` from bundler/products/arc_server/codes.py: change that table, not this file.

# Of several findings the first of these ends the run.
$script:CodeOrder = @({order})

"""

BASH_HEAD = """\
# The exit codes of install.sh, what they mean and what to do: Microsoft's numbers below 200, this script's from there.
# Made by `make docs` from bundler/products/arc_server/codes.py: change that table, not this file.

# Of several findings the first of these ends the run.
CODE_ORDER=({order})

# code_text NUMBER: fills MEANING and NEXT; leaves them empty for a number that is not in the table.
# shellcheck disable=SC2016  # a dollar is a dollar
"""

REASONS_FROM = "Made by `make docs` from bundler/products/arc_server/reasons.py: change that table, not this file."

POWERSHELL_REASONS = f"""\
# Why azcmagent fails, told apart by what it says. The first that fits is taken.
# {REASONS_FROM}

# Word, pattern (for a message in lower case with single blanks), whether it is tried again (yes, no, or code: the exit
# code decides), meaning and next step.
"""

BASH_REASONS = f"""\
# Why azcmagent fails, told apart by what it says. The first that fits is taken.
# {REASONS_FROM}

# Word, pattern (for a message in lower case with single blanks), whether it is tried again (yes, no, or code: the exit
# code decides), meaning and next step.
# shellcheck disable=SC2016  # a dollar is a dollar
"""

REASONS_HEAD = """
## Why azcmagent failed

Where azcmagent's message tells more than its exit code, the script's last line is the step below, and the receipt has
the word in `reason`. Only what may pass is tried again.

| `reason` | it means | do this | tried again |
|---|---|---|---|
"""

HEAD = """\
# Exit codes on the server: you see N, do this

<!-- Made by `make docs` from bundler/products/arc_server/codes.py: change that table, not this page. -->

How `install.sh` and `install.ps1` end. The last lines on screen are the same as the row here:

```console
Stopped with exit code 202: this machine is not ready.
  -> Correct what the preflight lines above name, then run this script again.
```

1. Find the number. The shell shows it once more: `echo $?`, in PowerShell `$LASTEXITCODE`.
2. Do what the row says, then run the same command again. It continues where it stopped and needs no clean-up.
3. Still the same? `sudo bash install.sh --collect-logs DIR` (`install.ps1 -CollectLogs DIR`) packs logs and receipts
   for support, without secrets.

0 is success: connected, or nothing was left to do. 200 and above are the scripts' own; below 200 the numbers are
Microsoft's (AZCM0042 is 42), and what *azcmagent* ends with is passed on unchanged.

"""

TAIL = """
`verify.sh` and `verify.ps1` end with 0, 200, 201, 202 (no space for the check), 205, 207 or 213.
With `--check` (`-CheckOnly`)
the code is the preflight's verdict; `--dry-run` (`-WhatIf`) names it and ends with 0.

## Not in the table

| you see | do this | it means |
|---|---|---|
| 126, 127 | Run it as `sudo bash install.sh`. | the shell did not find the script, or may not \
run it there (`noexec`) |
| 137 | Run it again: it continues where it stopped. | it was killed (SIGKILL); the receipt shows how far it got |
| red text before the script's first line | Start it as START-HERE.txt says; then copy the bundle again. | PowerShell \
was not allowed to run it, or the script is incomplete |
| another number below 200 | Read the end of the log; [Microsoft's list][microsoft] may be newer than this page. | \
azcmagent's, passed on |

The jump host's commands have [codes of their own](cli-exit-codes.md). What each
step does: [on the server](on-the-server.md).

[microsoft]: https://learn.microsoft.com/azure/azure-arc/servers/troubleshoot-agent-onboard
"""


def main() -> int:
    """Write the files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 where a file differs")
    if not parser.parse_args().check:
        for path, text in made().items():
            path.write_text(text, encoding="utf-8", newline="\n")
        return 0
    differ = [path for path, text in made().items() if path.read_text(encoding="utf-8") != text]
    for path in differ:
        sys.stderr.write(f"{path.relative_to(ROOT)} is not what codes.py says: run `make docs`\n")
    return int(bool(differ))


def made() -> dict[Path, str]:
    """Every file that is made from the table, and what it says."""
    return {
        PAGE: page(),
        RUNTIME / "windows" / "codes.ps1": powershell(),
        RUNTIME / "linux" / "codes.sh": bash(),
        RUNTIME / "windows" / "reasons.ps1": powershell_reasons(),
        RUNTIME / "linux" / "reasons.sh": bash_reasons(),
    }


def bash_reasons() -> str:
    """The table of reasons as a part of ``install.sh``'s runtime."""
    rows = (
        "".join(f"    {quoting.bash(value)}\n" for value in (row.word, row.pattern, row.retry, row.meaning, row.do))
        for row in REASONS
    )
    return f"{BASH_REASONS}REASON_ROWS=(\n{''.join(rows)})\n"


def powershell_reasons() -> str:
    """The same for ``install.ps1``."""
    rows = (
        f"    @('{row.word}',\n"
        f"        {quoting.powershell_folded(row.pattern, 120)},\n"
        f"        '{row.retry}',\n"
        f"        {quoting.powershell_folded(row.meaning, 120)},\n"
        f"        {quoting.powershell_folded(row.do, 120)})"
        for row in REASONS
    )
    joined = ",\n".join(rows)
    return f"{POWERSHELL_REASONS}$script:Reasons = @(\n{joined})\n"


def bash() -> str:
    """The table as a part of ``install.sh``'s runtime."""
    rows = (
        f"        {code.number})\n"
        f"            MEANING={quoting.bash(code.meaning)}\n"
        f"            NEXT={quoting.bash(code.do)}\n"
        f"            ;;\n"
        for code in sorted(CODES, key=lambda code: code.number)
    )
    head = BASH_HEAD.format(order=" ".join(map(str, GRAVITY)))
    return f"{head}code_text() {{\n    case $1 in\n{''.join(rows)}    esac\n}}\n"


def powershell() -> str:
    """The table as a part of ``install.ps1``'s runtime."""
    rows = (
        f"    {code.number} = @(\n"
        f"        {quoting.powershell_folded(code.meaning, 120)}\n"
        f"        {quoting.powershell_folded(code.do, 120)})\n"
        for code in sorted(CODES, key=lambda code: code.number)
    )
    head = POWERSHELL_HEAD.format(order=", ".join(map(str, GRAVITY)))
    return f"{head}$script:Codes = @{{\n{''.join(rows)}}}\n"


def page() -> str:
    """The whole page."""
    rows = [_row(code) for code in sorted(CODES, key=lambda code: code.number)]
    ours = [row for row in rows if int(row[0]) >= 200]
    theirs = [row for row in rows if int(row[0]) < 200]
    parts = (
        HEAD,
        "## From 200: the scripts' own\n\n",
        _table(ours),
        "\n## Below 200: Microsoft's numbers\n\n",
        _table(theirs),
        REASONS_HEAD,
        "".join(_reason(row.word, row.meaning, row.do, row.retry) for row in REASONS),
    )
    return "".join(parts) + TAIL


def _reason(word: str, meaning: str, do: str, retry: str) -> str:
    again = {"yes": "yes", "no": "no", "code": "after 42, 44 and 61"}[retry]
    return f"| `{word}` | {meaning} | {do.replace(NAME, '')} | {again} |\n"


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = ["| you see | do this | it means | comes from |", "|---|---|---|---|"]
    return "".join(f"{line}\n" for line in (*lines, *(f"| {' | '.join(row)} |" for row in rows)))


def _row(code: Code) -> tuple[str, ...]:
    return str(code.number), code.do, code.meaning, _who(code)


def _who(code: Code) -> str:
    systems = {(LINUX, WINDOWS): "both", (LINUX,): "Linux", (WINDOWS,): "Windows", (): ""}
    script = systems[tuple(one for one in code.by if one != AGENT)]
    agent = AGENT if AGENT in code.by else ""
    return "; ".join(word for word in (agent, script) if word) or "reserved"


if __name__ == "__main__":
    sys.exit(main())
