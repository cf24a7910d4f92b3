"""Write the runtime's tables of what is left out of logs, or report where they differ from it.

From ``bundler/formats/secret_forms.py`` (secrets by their value) and ``secret_shapes.py`` (by their shape). Run by
``make docs``; ``--check`` changes nothing and ends with 1 where a file differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bundler.formats import secret_forms, secret_shapes
from bundler.render import quoting

ROOT = Path(__file__).resolve().parent.parent
BASH = ROOT / "templates" / "runtime" / "linux" / "secret_forms.sh"
POWERSHELL = ROOT / "templates" / "runtime" / "windows" / "secret_forms.ps1"

_MADE = "# Made by `make docs` from bundler/formats/secret_forms.py and secret_shapes.py: change those, not this file."
_HEAD = f"""\
# How a secret may be spelled where it is repeated, and what looks like one: regular expressions over bytes.
{_MADE}
# @H two hex digits, @O three octal ones, @D decimal, @U the shortest hex.

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
        sys.stderr.write(f"{path.relative_to(ROOT)} is not what the tables say: run `make docs`\n")
    return int(bool(differ))


def made() -> dict[Path, str]:
    """Every file that is made from the tables, and what it says."""
    return {BASH: bash(), POWERSHELL: powershell()}


def bash() -> str:
    """The tables as a part of ``install.sh``'s runtime. A line break in an expression stands there as U+0002."""
    lines = [_HEAD + "# A line break is \\002 here: sed reads all in one line.\n"]
    lines += [f"SECRET_{name}={_bash(value)}\n" for name, value in _single().items()]
    lines += [f"SECRET_BYTES=({' '.join(_bash(way) for way in secret_forms.BYTES)})\n"]
    lines += ["# named_spellings BYTE: fills NAMED, the further spellings of that character.\nnamed_spellings() {\n"]
    lines += ["    NAMED=()\n    case $1 in\n"]
    for character, ways in secret_forms.NAMED.items():
        lines.append(f"        {_bash(character)}) NAMED=({' '.join(map(_bash, ways))}) ;;\n")
    lines += ["    esac\n}\n\n", f"SECRET_NAMES={_bash(secret_shapes.NAMES)}\n"]
    lines += ["# Expression, replacement, and sed's flags, in turns; @N are the names.\nSECRET_SHAPES=(\n"]
    for shape in secret_shapes.SHAPES:
        expression = shape.expression.replace("@S", "[:space:]")
        lines.append(f"    {_bash(expression)} {_bash(shape.becomes)} {'gI' if shape.any_case else 'g'}\n")
    return "".join([*lines, ")\n"])


def powershell() -> str:
    """The tables as a part of ``install.ps1``'s runtime."""
    rows = [f"    {name.title().replace('_', '')} = {_powershell(value)}\n" for name, value in _single().items()]
    rows.append(f"    Bytes = @({', '.join(_powershell(way) for way in secret_forms.BYTES)})\n")
    named = [
        f"        {ord(character)} = @({', '.join(map(_powershell, ways))})\n"
        for character, ways in secret_forms.NAMED.items()
    ]
    shapes = ",\n".join(_powershell_shape(shape) for shape in secret_shapes.SHAPES)
    return (
        f"{_HEAD}$script:SecretForms = @{{\n{''.join(rows)}"
        "    # Further spellings of single characters, by their number.\n"
        f"    Named = @{{\n{''.join(named)}    }}\n}}\n\n"
        f"$script:SecretNames = {_folded(secret_shapes.NAMES)}\n"
        f"# Expression, replacement, and options; @N are the names.\n$script:SecretShapes = @(\n{shapes}\n)\n"
    )


def _powershell_shape(shape: secret_shapes.Shape) -> str:
    # \s would also be U+0085 and U+00A0, which here are bytes of UTF-8.
    expression = shape.expression.replace("@S", r"\t-\r ")
    becomes = shape.becomes.replace(r"\1", "${1}")
    options = "$AnyCase" if shape.any_case else "$OwnCase"
    return f"    @({_folded(expression)},\n      {_powershell(becomes)}, {options})"


def _folded(value: str) -> str:
    """A long value in two pieces."""
    if len(value) < 120:
        return _powershell(value)
    half = len(value) // 2
    return f"({_powershell(value[:half])} +\n       {_powershell(value[half:])})"


def _single() -> dict[str, str]:
    return {
        "WHOLE_WORD": str(secret_forms.WHOLE_WORD),
        "LINE": str(secret_forms.LINE),
        "ARMOR": secret_forms.ARMOR,
        "LONG": str(secret_forms.LONG),
        "BASE64_LEAST": str(secret_forms.BASE64_LEAST),
        "GAP": secret_forms.GAP,
        "HEX_GAP": secret_forms.HEX_GAP,
        "DECIMAL_GAP": secret_forms.DECIMAL_GAP,
        "EDGE": secret_forms.EDGE,
        "UNIT": secret_forms.UNIT,
        "REFERENCE": secret_forms.REFERENCE,
        "ESCAPE": secret_forms.ESCAPE,
        "BASE64_PLUS": secret_forms.BASE64["+"],
        "BASE64_SLASH": secret_forms.BASE64["/"],
    }


def _bash(value: str) -> str:
    return value if value.isdigit() else quoting.bash(value.replace("\n", "\2"))


def _powershell(value: str) -> str:
    return value if value.isdigit() else quoting.powershell(value)


if __name__ == "__main__":
    sys.exit(main())
