"""A script's runtime is found and hashed as sed and sha256sum do it, and nothing that is ambiguous is read."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bundler.errors import VerificationError
from bundler.formats import script_runtime
from bundler.formats.powershell_signature import with_block
from bundler.render import runtime
from bundler.render.runtime import Part

PRODUCT = "arc-server"
NAMES = ("install.sh", "install.ps1")
BODY = (Part("templates/runtime/x/a", "one() { :; }\n"), Part("templates/x/runtime/b", "# two\n\nthree\n"))


def ends(name):
    return "\n" if name.endswith(".sh") else "\r\n"


def made(name="install.sh", header="#!/bin/bash\nA=1\n", parts=BODY, product=PRODUCT, platform="", marked=""):
    return runtime.script(
        header.replace("\n", ends(name)).encode(),
        parts,
        tool="arc-bundler 0.2.0",
        product=product,
        platform=platform or ("linux" if name.endswith(".sh") else "windows"),
        name=marked or name,
    )


def read(content, name="install.sh"):
    return script_runtime.read(content, name, product=PRODUCT)


def refused(content, name="install.sh"):
    with pytest.raises(VerificationError) as caught:
        read(content, name)
    return caught.value.reason


def marker(content):
    return next(line for line in content.splitlines(keepends=True) if line.startswith(b"# ==== arc-bundler"))


def by_hand(folder, name, content):
    """The digest by the command that the documentation gives."""
    (folder / name).write_bytes(content)
    command = f"sed '1,/^# ==== arc-bundler .* runtime/d' {name} | sha256sum"
    done = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, check=True, text=True)
    return done.stdout.split()[0]


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_read_as_it_was_joined(name):
    content = made(name)
    found = read(content, name)
    assert found.header + marker(content) + found.runtime == content == found.content
    assert found.digest == hashlib.sha256(found.runtime).hexdigest()
    assert found.digest == runtime.digest(runtime.runtime(BODY, ends(name)))
    assert (found.tool, found.platform, found.signed) == (
        "arc-bundler 0.2.0",
        {"install.sh": "linux", "install.ps1": "windows"}[name],
        False,
    )


def test_a_plug_ins_marker_is_read():
    content = runtime.script(
        b"#!\n", BODY, tool="arc-bundler 1 + arc-hello 2.0", product=PRODUCT, platform="linux", name="install.sh"
    )
    assert read(content).tool == "arc-bundler 1 + arc-hello 2.0"


LINES = st.lists(
    st.text(st.sampled_from("# =arc-bundler runtime:\t'\"$()x0"), max_size=60)
    | st.sampled_from(["# ==== arc-bundler", "# ====", "# ---- x ----", " # ==== arc-bundler 1 runtime: x"]),
    max_size=8,
)


@pytest.mark.skipif(not shutil.which("sed"), reason="needs sed")
@given(header=LINES, body=LINES, name=st.sampled_from(NAMES))
def test_the_digest_is_the_one_that_sed_and_sha256sum_compute(tmp_path_factory, header, body, name):
    parts = [Part("templates/runtime/x/a", "".join(f" {line}\n" for line in body) or "\n")]
    content = made(name, "#!/bin/bash\n" + "".join(f" {line}\n" for line in header), parts)
    assert read(content, name).digest == by_hand(tmp_path_factory.getbasetemp(), name, content)


SMALL = {name: made(name) for name in NAMES}


@pytest.mark.skipif(not shutil.which("sed"), reason="needs sed")
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_a_changed_script_is_refused_or_read_as_sed_reads_it(tmp_path_factory, name, data):
    """Bytes replaced, put in, taken out, or a piece doubled: what is still read has sed's digest."""
    content = SMALL[name]
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, min(len(content), start + 200)))
    new = data.draw(st.sampled_from([b"", b"\n", b"\r", b"\r\n", b"#", b"x", content[start:stop] * 2, content]))
    changed = content[:start] + new + content[stop:]
    try:
        found = read(changed, name)
    except VerificationError:
        return
    assert found.digest == by_hand(tmp_path_factory.getbasetemp(), name, changed)
    assert found.runtime == read(content, name).runtime, "another runtime needs another digest in the marker line"


@pytest.mark.parametrize("name", NAMES)
def test_every_changed_byte_of_the_runtime_is_refused(name):
    content = SMALL[name]
    for at in range(len(content) - len(read(content, name).runtime), len(content)):
        with pytest.raises(VerificationError):
            read(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :], name)


@pytest.mark.parametrize("name", NAMES)
def test_cut_off_at_any_byte_it_is_refused(name):
    content = SMALL[name]
    for at in range(len(content)):
        with pytest.raises(VerificationError):
            read(content[:at], name)


@pytest.mark.parametrize("name", NAMES)
def test_each_damage_has_its_own_reason(name):
    content = made(name)
    line, end = marker(content), ends(name).encode()
    header, body = content.split(line)
    last = script_runtime.END.encode() + end
    other = {"install.sh": "install.ps1", "install.ps1": "install.sh"}[name]
    swapped = made(name, platform={"install.sh": "windows", "install.ps1": "linux"}[name])
    wrong = b"\r\n" if name.endswith(".sh") else b"\n"
    assert {
        "changed": refused(content.replace(b"three", b"four"), name),
        "cut off": refused(content.removesuffix(last), name),
        "cut off at the marker": refused(header + line.strip(), name),
        "nothing behind the marker": refused(header + line, name),
        "doubled": refused(content + body, name),
        "all doubled": refused(content + content, name),
        "of the other platform": refused(swapped, name),
        "of another script": refused(made(name, marked=f"verify{ends(name) and name[7:]}"), name),
        "of another product": refused(made(name, product="other"), name),
        "as the other platform writes it": refused(made(other), name),
        "no marker": refused(header + body, name),
        "marker doubled": refused(header + line + line + body, name),
        "marker in other line ends": refused(content.replace(line, line.strip() + wrong), name),
        "marker states another digest": refused(content.replace(read(content, name).digest.encode(), b"0" * 64), name),
        "marker first": refused(line + body, name),
        "marker misspelt": refused(content.replace(b" sha256:", b" sha256 "), name),
        "more behind it": refused(content + b"more" + end, name),
        "not ASCII": refused(content.replace(b"A=1", "A=\u202e1".encode()), name),
        "empty": refused(b"", name),
    } == {
        "changed": "runtime-digest",
        "cut off": "runtime-cut-off",
        "cut off at the marker": "runtime-cut-off",
        "nothing behind the marker": "runtime-cut-off",
        "doubled": "several-runtimes",
        "all doubled": "several-runtimes",
        "of the other platform": "other-runtime",
        "of another script": "other-runtime",
        "of another product": "other-runtime",
        "as the other platform writes it": "runtime-line-ends",
        "no marker": "no-runtime",
        "marker doubled": "several-runtimes",
        "marker in other line ends": "runtime-line-ends",
        "marker states another digest": "runtime-digest",
        "marker first": "runtime-marker",
        "marker misspelt": "runtime-marker",
        "more behind it": "runtime-trailing",
        "not ASCII": "runtime-characters",
        "empty": "no-runtime",
    }


def test_a_signature_block_comes_off_with_the_line_end_before_it():
    plain = made("install.ps1")
    found = read(with_block(plain, bytes(range(256)) * 5), "install.ps1")
    assert (found.content, found.signed, found.digest) == (plain, True, read(plain, "install.ps1").digest)


BEGIN, LAST = b"\r\n# SIG # Begin signature block\r\n", b"# SIG # End signature block\r\n"
LINE = b"# " + base64.b64encode(b"x" * 48) + b"\r\n"


@pytest.mark.parametrize(
    "block",
    [
        BEGIN + LINE + LAST + b"\r\n",
        BEGIN + LINE + LAST + b"x",
        BEGIN + LINE + LAST.strip(),
        BEGIN + LAST,
        BEGIN + LINE,
        BEGIN + LINE + b"Get-Date\r\n" + LAST,
        BEGIN + LINE + b"#\r\n" + LAST,
        BEGIN + LINE + b"# a b\r\n" + LAST,
        BEGIN + b"# abc\r\n" + LAST,
        BEGIN + b"# ab==\r\n" + LINE + LAST,
        BEGIN.lstrip() + LINE + LAST,
        BEGIN.replace(b"Begin", b"begin") + LINE + LAST,
        BEGIN + LINE + LAST + BEGIN + LINE + LAST,
        BEGIN + LINE + BEGIN.lstrip() + LINE + LAST,
    ],
)
def test_what_is_not_quite_a_signature_block_counts_as_runtime(block):
    assert script_runtime.without_signature_block(made("install.ps1") + block) != made("install.ps1")
    assert refused(made("install.ps1") + block, "install.ps1") == "runtime-trailing"


@pytest.mark.parametrize("block", [BEGIN + LINE + LAST])
def test_a_shell_script_has_no_signature_block(block):
    assert refused(made() + block.replace(b"\r", b"")) == "runtime-trailing"


@pytest.mark.parametrize("name", NAMES)
@example(b"#Requires -Version 9", 0)
@given(st.sampled_from([b"#requires -Modules x", b"#REQUIRES -RunAsAdministrator"]), st.integers(0, 10))
def test_a_requires_statement_is_refused_wherever_it_stands(name, statement, at):
    content = with_block(made(name, header="<#\n#>\n\nA\n"), b"x" * 90) if name.endswith(".ps1") else made(name)
    lines = content.split(ends(name).encode())
    at = at * len(lines) // 10
    changed = ends(name).encode().join([*lines[:at], statement, *lines[at:]])
    if name.endswith(".ps1"):
        assert refused(changed, name) == "runtime-requires"
    else:  # bash knows no such statement: in the header it is a comment like any other
        assert at >= content[: content.index(b"# ==== arc")].count(b"\n") or read(changed, name)


@pytest.mark.parametrize("name", ["install.txt", "install.sh.txt", "sh"])
def test_what_is_no_script_has_no_runtime(name):
    assert refused(made(), name) == "no-runtime"


def test_a_huge_file_is_not_read():
    assert refused(b"#" * (script_runtime.MAX_SIZE + 1)) == "too-large"


@pytest.mark.parametrize(
    ("path", "expected"),
    [("install.sh", True), ("verify.ps1", True), ("config/x.sh", False), ("review.html", False), ("a.SH", False)],
)
def test_scripts_lie_at_the_top_of_a_bundle(path, expected):
    assert script_runtime.is_script(path) is expected
