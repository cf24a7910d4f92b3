"""What install.sh holds is left out of what it shows and of what programs say, in every form of the table."""

from __future__ import annotations

import subprocess
import time

import pytest

from bundler.formats import secret_forms
from bundler.render import quoting
from bundler.render.template_files import templates
from tests.support import secret_forms as cases

# With those that are beside them in install.sh and have names like theirs.
PARTS = ("secret_forms", "held_secrets", "hide", "text", "bundle_files", "seal")
VALUES = {"signs": cases.SECRET, "plain": cases.PLAIN, "unicode": cases.UNICODE, "ascii": cases.ASCII}
LINES = "\n".join(
    f"MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{line:02d}+/abcdefghijklmnopqrstuvwxy{line:02d}" for line in range(9)
)
KEY = f"-----BEGIN X-----\n{LINES}\n-----END X-----"
WAYS = {
    f"{name}-{way}": (value, output) for name, value in VALUES.items() for way, output in cases.repeated(value).items()
}


@pytest.fixture
def run(bash, tmp_path):
    """Runs a script behind the parts; its text is in a file, so that standard input is free."""

    def run(script: str, stdin: bytes = b"", path: str = "/usr/bin:/bin") -> bytes:
        sources = "\n".join((templates() / "runtime/linux" / f"{part}.sh").read_text() for part in PARTS)
        file = tmp_path / "script.sh"
        file.write_text(f"set -u -o pipefail\nexport LC_ALL=C\n{sources}\n{script}\n")
        environment = {"PATH": path, **dict.fromkeys(("value", "rest", "unit", "part", "pattern", "all"), "x")}
        done = subprocess.run([bash, file], input=stdin, capture_output=True, check=True, env=environment)
        assert done.stderr == b""
        return done.stdout

    return run


def hold(*values: str) -> str:
    return "".join(f"hold_secret {quoting.bash(value)}\n" for value in values)


@pytest.mark.parametrize("value", [*VALUES.values(), cases.SHORT, "ab \u00e9", "a.b,c", "x[]^\\", KEY, "Yz09+/" * 120])
def test_the_expressions_are_the_table_s(run, value):
    printed = run(f"{hold(value)}printf '%s\\0' \"${{SECRET_PATTERNS[@]}}\"").split(b"\0")[:-1]
    assert [one.decode("latin-1").replace("\2", "\n") for one in printed] == secret_forms.patterns(value)


def test_what_programs_say_in_each_way(run):
    between = b"\n==\n"
    said = between.join(output for _, output in WAYS.values())
    printed = run(f"{hold(*VALUES.values())}hide_lines", said).split(between)
    assert len(printed) == len(WAYS)
    for (name, (value, _)), output in zip(WAYS.items(), printed, strict=True):
        assert b"***" in output, name
        assert cases.remnants(value, output) == [], name


def test_own_messages_in_each_way(run):
    some = {name: case for name, case in WAYS.items() if name.startswith(("signs", "unicode-percent", "ascii-JSON"))}
    texts = {name: (value, output.decode()) for name, (value, output) in some.items() if b"\0" not in output}
    script = "".join(f"hide {quoting.bash(text)}; printf '%s\\0' \"$HIDDEN\"\n" for _, text in texts.values())
    printed = run(hold(*VALUES.values()) + script).split(b"\0")[:-1]
    for (name, (value, _)), output in zip(texts.items(), printed, strict=True):
        assert b"***" in output, name
        assert cases.remnants(value, output) == [], name


def test_each_line_of_a_key(run):
    said = b"key:\n" + KEY.encode() + b"\nin JSON: " + KEY.replace("\n", "\\n").encode() + b"\n"
    said += "\n".join(f"cut {line[10:]}" for line in LINES.splitlines()).encode()
    printed = run(f"{hold(KEY)}hide_lines", said)
    assert all(line.encode() not in printed for line in LINES.splitlines())
    for before in (b"", b"x", b"xy"):
        import base64

        whole = base64.encodebytes(before + KEY.encode())
        assert cases.remnants(LINES.splitlines()[3], run(f"{hold(KEY)}hide_lines", whole), least=16) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("use pa55w now", "use *** now"),
        ("pa55w pa55w,pa55w", "*** ***,***"),
        ("pa55word and xpa55w stay", "pa55word and xpa55w stay"),
        ("%70a55w", "***"),
    ],
)
def test_a_short_value_only_as_a_whole_word(run, text, shown):
    script = f'{hold(cases.SHORT)}hide {quoting.bash(text)}; printf \'%s %s\' "$SHORT_HELD" "$HIDDEN"'
    assert run(script).decode() == f"yes {shown}"
    assert run(f"{hold(cases.SHORT)}hide_lines", text.encode()).decode() == shown


def test_other_output_stays_as_it_is(run):
    text = 'level=info msg="connected" n=1 {"a": "b\\"c", "u": "%20"}\n\ttab \u00e9\u6771\n\nlast line without an end'
    assert run(f"{hold(*VALUES.values(), KEY)}hide_lines", text.encode()).decode() == text


def test_a_secret_is_in_no_argument_and_no_environment(run, tmp_path):
    seen = tmp_path / "seen"
    for name in ("sed", "tr"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/bash\ncat /proc/$$/cmdline /proc/$$/environ >>{seen}\nexec /usr/bin/{name} "$@"\n')
        program.chmod(0o755)
    output = run(f"{hold(*VALUES.values())}hide_lines", cases.SECRET.encode(), path=f"{tmp_path}/bin:/usr/bin:/bin")
    assert output == b"***"
    for value in VALUES.values():
        assert cases.remnants(value, seen.read_bytes()) == []
        # Nor what finds it.
        for pattern in secret_forms.patterns(value):
            assert pattern[:60].encode("latin-1") not in seen.read_bytes()


def test_what_cannot_be_searched_is_not_shown(run, tmp_path):
    program = tmp_path / "bin" / "sed"
    program.parent.mkdir()
    program.write_text('#!/bin/bash\ncase $* in *fd*) exit 1 ;; esac\nexec /usr/bin/sed "$@"\n')
    program.chmod(0o755)
    output = run(f"{hold(cases.PLAIN)}hide_lines", cases.PLAIN.encode(), path=f"{tmp_path}/bin:/usr/bin:/bin")
    assert output == b"(output left out: it could not be searched for the secret)\n"


def test_5_mb_are_searched_in_seconds(run, tmp_path):
    line = b'time="2026-11-30T10:00:00Z" level=debug msg="service connect AbC8Q token" a\\b %20 \\"q\\" n=%d\n'
    said = b"".join(line.replace(b"%d", str(number).encode()) for number in range(52_000))
    began = time.monotonic()
    printed = run(f"{hold(*VALUES.values())}hide_lines", said + cases.PLAIN.encode())
    assert printed == said + b"***"
    assert time.monotonic() - began < 20
