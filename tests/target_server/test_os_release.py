"""Which target a Linux system gets by its /etc/os-release, in any order of the targets, and who keeps another's ID.

``tests/os_releases.toml`` has the facts of real systems; here are the forms that the grammar of os-release(5) allows.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bundler.render import quoting
from bundler.render.environment import templates

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VERSIONS = {
    "ubuntu": ("20.04", "22.04", "24.04", "2"),
    "debian": ("10", "12"),
    "rhel": ("7", "8", "8.1", "9"),
    "centos": ("8",),
    "rocky": ("9",),
    "almalinux": ("8", "10"),
    "ol": ("8",),
    "amzn": ("2", "2023"),
    "azurelinux": ("3",),
    "mariner": ("2.0",),
    "sles": ("15", "15.3", ""),
    "sles_sap": ("12",),
}
TABLE = Path(__file__).resolve().parents[1] / "os_releases.toml"
KEYS = ("id", "id_like", "version_id", "variant_id", "name", "pretty_name")


def written(one) -> str:
    """The os-release text of a row: its keys in quotes, those of ``bare`` without."""
    values = {key: one[key] if key in one.get("bare", ()) else f'"{one[key]}"' for key in KEYS if key in one}
    return "".join(f"{key.upper()}={value}\n" for key, value in values.items())


SYSTEMS = tomllib.loads(TABLE.read_text())["system"]
REAL = {one["source"]: (written(one), one["target"], one["warned"]) for one in SYSTEMS}
# The grammar of os-release(5); every one is Ubuntu 22.04 but the last three.
FORMS = {
    "unquoted": ("ID=ubuntu\nVERSION_ID=22.04\n", "ubuntu/22.04", ""),
    "single quotes": ("ID='ubuntu'\nVERSION_ID='22.04'\n", "ubuntu/22.04", ""),
    "mixed quotes": ("ID=ub\"unt\"u\nVERSION_ID='22'.04\n", "ubuntu/22.04", ""),
    "escapes": ('ID="ubuntu"\nVERSION_ID=22\\.04\nPRETTY_NAME="Ubuntu 22 \\"\\" \\$5 \\\\ \\x"\n', "ubuntu/22.04", ""),
    "comments": ("# ID=debian\nID=ubuntu # Debian\n\n  # more\nVERSION_ID=22.04\n", "ubuntu/22.04", ""),
    "CRLF": ('ID=ubuntu\r\nVERSION_ID="22.04"\r\nNAME="Ubuntu"\r\n', "ubuntu/22.04", ""),
    "a byte order mark": ("\ufeffID=ubuntu\nVERSION_ID=22.04\n", "ubuntu/22.04", ""),
    "no last line end": ("VERSION_ID=22.04\nID=ubuntu", "ubuntu/22.04", ""),
    "the last line counts": ("ID=debian\nID=ubuntu\nVERSION_ID=12\nVERSION_ID=22.04\n", "ubuntu/22.04", ""),
    "blanks at the ends": ("  ID=ubuntu  \nVERSION_ID=22.04\t\n", "ubuntu/22.04", ""),
    "other keys": ("MYID=debian\nID_LIKE=debian\nID=ubuntu\nVERSION_ID=22.04\nBUILD_ID=12\n", "ubuntu/22.04", ""),
    "it is data": ("ID=ubuntu\nVERSION_ID=22.04\nPRETTY_NAME=`touch pwned`\n", "ubuntu/22.04", "`touch"),
    "no version": ("ID=ubuntu\n", "", ""),
    "a version without its target": ('ID=sles\nNAME="SLES"\n', "sles/", ""),
    "nothing": ("", "", ""),
}  # fmt: skip
PARTS = (
    "runtime/linux/rows.sh",
    "runtime/linux/os_release.sh",
    "runtime/linux/machine.sh",
    "arc-server/runtime/linux/target.sh",
    "arc-server/runtime/linux/derived.sh",
)


def rows(reverse: bool) -> str:
    found = [(name, version) for name, versions in VERSIONS.items() for version in versions]
    cells = [
        cell
        for name, version in (reversed(found) if reverse else found)
        for cell in (name, version, "x86_64", f"{name}/{version}", "path", "sum", "1", "deb", "1", "1", "")
    ]
    return " ".join(map(quoting.bash, cells))


def test_a_row_is_written_as_os_release_has_it():
    row = {"id": "ubuntu", "version_id": "22.04", "name": "Ubuntu Kylin", "bare": ["id"], "target": "ubuntu/22.04"}
    assert written(row) == 'ID=ubuntu\nVERSION_ID="22.04"\nNAME="Ubuntu Kylin"\n'
    assert {key for one in SYSTEMS for key in one} <= {*KEYS, "source", "target", "warned", "bare"}


@pytest.mark.parametrize("reverse", [False, True])
def test_each_system_gets_the_most_exact_target(bash, tmp_path, reverse):
    script = "".join((templates() / part).read_text() for part in PARTS)
    script += f"warning() {{ WARNED=$1; }}\nMACHINE_ARCHITECTURE=x86_64\nPACKAGES=({rows(reverse)})\n"
    cases = {**REAL, **FORMS}
    for at, (text, _, _) in enumerate(cases.values()):
        (tmp_path / str(at)).write_text(text, newline="")
        script += f"OS_RELEASE=({tmp_path}/missing {tmp_path}/{at}) TARGET='' TARGET_FITS='' WARNED=''\n"
        script += "detect_machine; each_row PACKAGES 11 match_target; check_derived\n"
        script += 'printf "%s\\0%s\\0" "$TARGET" "$WARNED"\n'
    done = subprocess.run(
        [bash, "-s"], input=f"set -u\n{script}".encode(), capture_output=True, check=True, cwd=tmp_path
    )
    assert done.stderr == b""
    said = done.stdout.decode().split("\0")
    for (name, (_, target, warned)), got, warning in zip(cases.items(), said[::2], said[1::2], strict=False):
        assert got == target, name
        assert warned in warning, name
        assert bool(warned) == bool(warning), (name, warning)
    assert not (tmp_path / "pwned").exists()
