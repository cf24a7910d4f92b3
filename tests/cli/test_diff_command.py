"""The command `diff`: the most important change first, and hostile values harmless in every format."""

from __future__ import annotations

import html
import json
import re
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.cli.main import main
from bundler.errors import LockError, UsageError, VerificationError
from bundler.flow.diff.load import describe
from bundler.formats import json_codec
from bundler.integrity import sums
from bundler.model.diff import Diff
from bundler.model.evidence import ChainLink, Evidence, PackageFacts
from bundler.model.lock import Lock, Pin
from bundler.model.manifest import Manifest
from bundler.model.progress import NullProgress
from bundler.model.seal import Approval, Seal, Signer
from bundler.model.target import Target
from bundler.model.tree import Entry
from bundler.pack import manifest as manifests
from bundler.pack import writers
from bundler.render.escape_control import escape_control
from tests.support.mirrored import mirrored

TIME = datetime(2026, 11, 22, 3, 4, 5, tzinfo=timezone.utc)
END = datetime(2027, 11, 22, 3, 4, 5, tzinfo=timezone.utc)
PACKAGE = b"package" * 9
EVIL = "\x1b[2Jgone\u202egnp.\r\n| `x` | <script>alert(1)</script> @everyone www.example http://x [a](b) ``` #1"
SEALER = Signer(name="CN=Sealer", sha256="4" * 64, not_before=TIME, not_after=END, algorithm="rsa-sha256")
SH = "#!/bin/bash\nset -eu\n" + "".join(f"echo {number}\n" for number in range(40))


def link(name: str, sha256: str) -> ChainLink:
    return ChainLink(subject=name, issuer="CN=Root", sha256=sha256 * 64, not_before=TIME, not_after=END)


def evidence(signer: str = "CN=Publisher", leaf: str = "b", root: str = "a") -> Evidence:
    chain = (link(signer, leaf), link("CN=Root", root))
    return Evidence(
        method="authenticode", signer=signer, fingerprint=leaf * 64, anchors="LAB", anchor=root * 64, chain=chain
    )


PIN = Pin(
    name="azcmagent",
    kind="msi",
    place="windows/x64",
    targets=(Target(os="windows"),),
    filename="agent.msi",
    url="https://packages.example/agent.msi",
    size=len(PACKAGE),
    sha256=manifests.digest(PACKAGE),
    facts=PackageFacts(name="azcmagent", version="1.67.1.2", architecture="x64"),
    evidence=(evidence(),),
)
MANIFEST = Manifest(
    name="arc-tokyo",
    version="1",
    product="arc-server",
    created=TIME,
    tool="arc-bundler test",
    serial=20261122030405,
    targets=(Target(os="windows"),),
    parameters={"location": "japaneast"},
    anchors="LAB",
    anchors_sha256="7" * 64,
    lock_sha256="8" * 64,
    pins=(PIN,),
    files=(),
)
FILES = {
    "install.sh": SH.encode(),
    "install.ps1": "Set-StrictMode -Version 3\r\n'日本'\r\n".encode("utf-8-sig"),
    "config/settings.json": b"{}\n",
    "evidence/windows/x64/pin.json": b"{}",
}


def bundle(out: Path, manifest=MANIFEST, files=FILES, form="directory", password=None, seals=None) -> Path:
    """A whole bundle at ``out``, with the seals' files as they are given."""
    entries = [Entry(path, content) for path, content in files.items()]
    entries += [Entry(pin.path, PACKAGE) for pin in manifest.pins]
    tree = manifests.assemble(manifest, entries, name=f"{manifest.name}-{manifest.version}", time=TIME)
    if seals:
        more = (*tree.entries, *(Entry(path, content) for path, content in seals.items()))
        tree = replace(tree, entries=tuple(sorted(more, key=lambda entry: entry.path)))
    writers.write(form, tree, out, progress=NullProgress(), password=password)
    return out


@pytest.fixture
def run(capsys):
    def ran(*arguments):
        code = main(["diff", *map(str, arguments)])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    return ran


def told(run, was, now, *more) -> Diff:
    code, out, _ = run(was, now, "--format", "json", *more)
    assert code == 0
    document = json.loads(out)
    assert document["diff"]["schema"] == "arc-bundler/diff/1"
    found = json_codec.from_tree(Diff, document["diff"])
    assert document["different"] == found.different
    return found


def only(found: Diff, topic: str):
    (change,) = (one for one in found.changes if one.topic == topic)
    return change


@pytest.mark.parametrize("form", ["directory", "zip", "tar.gz", "7z"])
def test_the_same_bundle_in_any_container_has_no_difference(run, tmp_path, form):
    was, now = bundle(tmp_path / "a"), bundle(tmp_path / "b", form=form)
    found = told(run, was, now, "--exit-code")
    assert not found.different
    assert "No differences." in run(was, now)[1]


def test_without_exit_code_a_difference_is_a_result_and_with_it_9(run, tmp_path):
    was = bundle(tmp_path / "a")
    now = bundle(tmp_path / "b", replace(MANIFEST, parameters={"location": "westeurope"}))
    assert run(was, now)[0] == 0
    for form in ("text", "json", "markdown", "html"):
        assert run(was, now, "--exit-code", "--format", form)[0] == 9
    assert run(was, was, "--exit-code")[0] == 0
    assert run(was, now, "--exit-code", "-q") == (9, "", "")
    for form in ("json", "markdown", "html"):
        assert run(was, now, "-q", "--format", form)[1] == run(was, now, "--format", form)[1] != ""


@pytest.mark.parametrize(
    ("now", "meaning", "alarming"),
    [
        (evidence(leaf="c"), "new-leaf", False),
        (evidence("CN=Stranger", leaf="c"), "other-publisher", True),
        (evidence("CN=Stranger", leaf="c", root="d"), "other-root", True),
        (
            replace(evidence(), chain=(link("CN=Publisher", "b"), link("CN=I", "e"), link("CN=Root", "a"))),
            "new-path",
            0,
        ),
    ],
)
def test_changes_of_a_chain_have_different_meanings(run, tmp_path, now, meaning, alarming):
    other = replace(MANIFEST, pins=(replace(PIN, evidence=(now,)),))
    was, now = bundle(tmp_path / "a"), bundle(tmp_path / "b", other)
    change = only(told(run, was, now), "signers")
    assert (change.subject, change.what, change.meaning) == ("windows/x64", "changed", meaning)
    line = next(line for line in run(was, now)[1].splitlines() if "windows/x64: authenticode" in line)
    assert line.startswith("!") == bool(alarming)


def test_an_openpgp_key_is_a_key_and_no_root(run, tmp_path):
    key = Evidence(method="debsigs", signer="P", fingerprint="A" * 40, anchors="LAB", anchor="A" * 40)
    other = replace(key, fingerprint="B" * 40, anchor="B" * 40)
    was, now = (
        bundle(tmp_path / name, replace(MANIFEST, pins=(replace(PIN, evidence=(one,)),)))
        for name, one in (("a", key), ("b", other))
    )
    assert only(told(run, was, now), "signers").meaning == "other-key"


def test_other_bytes_under_a_version_and_steps_back_are_alarming_and_an_update_is_not(run, tmp_path):
    was = tmp_path / "was.json"
    was.write_bytes(json_codec.to_json(MANIFEST))

    def against(pin=PIN, **changes):
        now = tmp_path / "now.json"
        now.write_bytes(json_codec.to_json(replace(MANIFEST, pins=(pin,), **changes)))
        return {change.field: change.meaning for change in told(run, was, now).changes}

    def versioned(version):
        return replace(PIN, facts=replace(PIN.facts, version=version), sha256="0" * 64)

    assert against(replace(PIN, sha256="0" * 64)) == {"bytes": "other-bytes"}
    assert against(versioned("1.67.1.10"), serial=20270101000000) == {
        "serial": "newer",
        "bytes": "",
        "facts.version": "newer",
    }
    assert against(versioned("1.66.9.9"), serial=1) == {"serial": "older", "bytes": "", "facts.version": "older"}
    assert against(versioned("9" * 5000))["facts.version"] == "newer"


def test_the_most_important_changes_come_first(run, tmp_path):
    now = replace(
        MANIFEST,
        version="2",
        weakened=("--insecure-x",),
        seal=Seal(signer=SEALER),
        approval=Approval(required=1, approvers=(replace(SEALER, name="Aiko"),)),
        anchors_sha256="9" * 64,
        parameters={"location": "westeurope"},
        pins=(replace(PIN, evidence=(evidence("CN=Stranger"),), url="https://elsewhere.example"),),
    )
    files = {**FILES, "install.sh": SH.replace("echo 20\n", "echo twenty\n").encode()}
    _, out, _ = run(bundle(tmp_path / "a"), bundle(tmp_path / "b", now, files))
    headings = [
        "Signers and keys",
        "Anchors",
        "Weakened checks",
        "Signer of the bundle",
        "Approvers",
        "The bundle",
        "Parameters",
        "The text of scripts",
        "Where packages come from",
        "Files",
    ]
    places = [out.index(f"\n{heading}") for heading in headings]
    assert places == sorted(places)
    assert "\n      -echo 20\n      +echo twenty\n" in out
    assert "Signatures were not verified" in out


def test_removed_seals_and_approvals_are_shown(run, tmp_path):
    sealed = replace(
        MANIFEST, seal=Seal(signer=SEALER), approval=Approval(required=1, approvers=(replace(SEALER, name="Aiko"),))
    )
    seals = {sums.SUMS + sums.CMS: b"1", sums.MANIFEST + sums.CMS: b"2", sums.approval("4" * 64): b"3"}
    was = bundle(tmp_path / "a", sealed, seals=seals)
    now = bundle(tmp_path / "b", sealed, seals={path: seals[path] for path in list(seals)[:2]})
    change = only(told(run, was, now), "approval")
    assert (change.what, change.meaning) == ("removed", "weaker")
    assert only(told(run, now, was), "approval").meaning == "stronger"
    other = bundle(tmp_path / "c", sealed, seals={**seals, sums.SUMS + sums.CMS: b"other"})
    assert only(told(run, was, other), "seal").what == "changed"
    unsealed = told(run, was, bundle(tmp_path / "d"))
    assert {change.meaning for change in unsealed.changes if change.topic == "seal"} == {"weaker"}


@pytest.mark.parametrize(
    ("seal", "meaning"),
    [(replace(SEALER, sha256="5" * 64), "other-certificate"), (replace(SEALER, name="CN=Other"), "other-sealer")],
)
def test_another_certificate_of_a_sealer_is_not_another_sealer(run, tmp_path, seal, meaning):
    was, now = (tmp_path / "a.json", tmp_path / "b.json")
    was.write_bytes(json_codec.to_json(replace(MANIFEST, seal=Seal(signer=SEALER))))
    now.write_bytes(json_codec.to_json(replace(MANIFEST, seal=Seal(signer=seal))))
    change = only(told(run, was, now), "seal")
    assert (change.meaning, change.alarming) == (meaning, meaning == "other-sealer")


@pytest.mark.parametrize("changes", [{"anchors": "Mirror"}, {"anchors_sha256": "0" * 64}, {"lab": True}])
def test_other_trust_anchors_are_an_alarm(run, tmp_path, changes):
    was, now = (tmp_path / "a.json", tmp_path / "b.json")
    was.write_bytes(json_codec.to_json(MANIFEST))
    now.write_bytes(json_codec.to_json(replace(MANIFEST, **changes)))
    assert only(told(run, was, now), "anchors").alarming


def test_scripts_that_came_are_shown_whole(run, tmp_path):
    was, now = bundle(tmp_path / "a"), bundle(tmp_path / "b", files={**FILES, "extra.ps1": b"one\r\ntwo"})
    (script,) = told(run, was, now).scripts
    assert (script.what, script.count("+"), script.count("-")) == ("added", 2, 0)
    out = run(was, now)[1]
    assert "+one\n" in out
    assert "\\ No newline at end of file" in out


@pytest.mark.parametrize("place", ["config/secret", "config/elsewhere.txt"])
def test_an_embedded_secret_is_never_shown(run, tmp_path, place):
    was = bundle(tmp_path / "a")
    holding = replace(MANIFEST, parameters={**MANIFEST.parameters, "embedded_secret": place})
    now = bundle(tmp_path / "b", holding, {**FILES, place: b"hunter2\n"})
    for form in ("text", "json", "markdown", "html"):
        for pair in ((was, now), (now, was)):
            assert "hunter2" not in run(*pair, "--format", form)[1]
    found = told(run, was, now)
    assert [change.subject for change in found.changes if change.topic == "files"] == [place]
    assert all((one.path, one.withheld, one.hunks) == (place, "secret", ()) for one in found.scripts)


def test_files_that_are_not_text_are_shown_without_lines(run, tmp_path):
    was = bundle(tmp_path / "a")
    now = bundle(
        tmp_path / "b",
        files={
            **FILES,
            "install.sh": b"\xff\xfe\xfd",
            "install.ps1": "Set-StrictMode -Version 3\r\n'日本'\r\n".encode("utf-16"),
            "large.sh": b"echo\n" * 300_000,
            "long.sh": b"echo\n" * 30_000,
        },
    )
    found = {script.path: script.withheld for script in told(run, was, now).scripts}
    assert found == {"install.sh": "no-text", "install.ps1": "", "large.sh": "no-text", "long.sh": "too-long"}


def test_line_ends_and_invisible_letters_in_scripts_are_seen(run, tmp_path):
    was = bundle(tmp_path / "a", files={**FILES, "a.sh": b"one\ntwo\n", "b.sh": b"x\n"})
    now = bundle(tmp_path / "b", files={**FILES, "a.sh": b"one\r\ntwo\n", "b.sh": "x\u200b\x1b[1A\n".encode()})
    for form in ("text", "markdown", "html"):
        out = run(was, now, "--format", form)[1]
        assert "one\\u{d}" in out
        assert "x\\u{200b}\\u{1b}[1A" in out


@pytest.fixture
def evil(tmp_path):
    """Two bundles, the second with a value that means something to every surface wherever there is room for it."""
    now = replace(
        MANIFEST,
        parameters={"location": EVIL, EVIL: "x"},
        weakened=(EVIL,),
        unusual=(EVIL,),
        tool=EVIL,
        product=EVIL,
        anchors=EVIL,
        seal=Seal(signer=replace(SEALER, name=EVIL)),
        pins=(
            replace(
                PIN,
                url=EVIL,
                redirects=(EVIL,),
                evidence=(replace(evidence(EVIL), notes=(EVIL,)),),
                facts=replace(PIN.facts, version=EVIL, license=EVIL),
            ),
        ),
    )
    files = {**FILES, "install.sh": (SH + EVIL + "\n````\n</code></pre><script>\n").encode()}
    return bundle(tmp_path / "evil-a"), bundle(tmp_path / "evil-b", now, files)


def test_no_hostile_value_reaches_a_terminal(run, evil):
    for pair in (evil, evil[::-1]):
        _, out, _ = run(*pair)
        assert "\\u{1b}[2Jgone" in out
        assert all(letter.isprintable() for letter in out.replace("\n", ""))


def test_no_hostile_value_means_anything_in_markdown(run, evil):
    for pair in (evil, evil[::-1]):
        _, out, _ = run(*pair, "--format", "markdown")
        assert all(letter.isprintable() for letter in out.replace("\n", ""))
        prose = re.sub(r"^(`{3,})diff\n.*?^\1$", "", out, flags=re.MULTILINE | re.DOTALL)
        assert prose != out
        assert "````diff" in out  # longer than the longest run in the text
        rows = [line for line in prose.splitlines() if line.startswith("|")]
        assert {line.count("|") for line in rows} == {4, 6}
        bare = re.sub(r"&#\d+;|</?(code|br|details|summary)>", "", prose)
        for mark in ("<", ">", "@", "www.", "://", "[a]", "](", "#1"):
            assert mark not in bare
        values = " ".join(re.findall(r"<code>(.*?)</code>", prose))
        assert "`" not in values
        assert "<script>alert(1)</script>" in html.unescape(values)


def test_a_markdown_reader_shows_every_value_as_it_is(run, evil):
    reader = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    _, out, _ = run(*evil, "--format", "markdown")
    page = reader.render(out)
    assert not re.search(r"<(script|a|img|em|strong>[^!0-9])", page)
    assert page.count("<details>") == page.count("</details>") == page.count("<pre>") == 1
    cells = [html.unescape(cell) for cell in re.findall(r"<td><code>(.*?)</code></td>", page)]
    assert escape_control(EVIL) in cells


def test_no_hostile_value_means_anything_in_html(run, evil):
    for pair in (evil, evil[::-1]):
        _, out, _ = run(*pair, "--format", "html")
        assert "<script" not in out
        assert "&lt;script&gt;alert(1)" in out
        assert not re.search(r"\b(src|href)=\"(?!#)", out)
        assert all(letter.isprintable() for letter in out.replace("\n", ""))
        ids = re.findall(r' id="([^"]+)"', out)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'href="#([^"]+)"', out)) <= set(ids)
        assert set(re.findall(r'aria-labelledby="([^"]+)"', out)) <= set(ids)


def test_the_page_is_for_approving_what_changed(run, tmp_path):
    was, now = bundle(tmp_path / "a"), bundle(tmp_path / "b", files={**FILES, "install.sh": SH.encode() + b"\tx\n"})
    _, out, _ = run(was, now, "--format", "html")
    assert "Approve only what changed" in out
    digest = manifests.digest((now / "SHA256SUMS").read_bytes())
    assert digest in re.sub(r"</?span>", "", out)
    assert '<ins class="added">+→   x</ins>\n' in out
    assert out == run(was, now, "--format", "html")[1]


def lock() -> Lock:
    return Lock(
        name="arc-tokyo",
        version="1",
        created=TIME,
        definition="0" * 64,
        anchors="LAB",
        anchors_sha256="7" * 64,
        pins=(PIN,),
    )


def test_kinds_are_compared_as_far_as_both_can_tell(run, tmp_path):
    locked = tmp_path / "bundle.lock"
    locked.write_bytes(json_codec.to_json(lock()))
    built = replace(MANIFEST, lock_sha256=manifests.digest(locked.read_bytes()))
    whole = bundle(tmp_path / "a", built)
    alone = tmp_path / "a.manifest.json"
    shutil.copyfile(whole / "manifest.json", alone)
    for was, now in ((locked, whole), (locked, alone), (alone, whole), (whole, alone)):
        found = told(run, was, now)
        assert not found.different
        assert len(found.not_compared) == 1
        assert f"{found.not_compared[0]}." in run(was, now)[1]
    moved = bundle(tmp_path / "b", replace(built, anchors_sha256="9" * 64, pins=(replace(PIN, evidence=()),)))
    assert {change.topic for change in told(run, locked, moved).changes} == {"signers", "anchors"}
    assert mirrored(told(run, alone, moved)) == told(run, moved, alone)
    assert "files" not in {change.topic for change in told(run, alone, moved).changes}


def test_a_manifest_written_in_another_form_is_a_difference(run, tmp_path):
    was, now = tmp_path / "a.json", tmp_path / "b.json"
    was.write_bytes(json_codec.to_json(MANIFEST))
    now.write_bytes(json.dumps(json_codec.to_tree(MANIFEST)).encode())
    assert only(told(run, was, now), "records").field == "form"


def test_an_encrypted_7z_wants_its_password(run, tmp_path, monkeypatch):
    was, now = bundle(tmp_path / "a"), bundle(tmp_path / "b.7z", form="7z", password="correct horse")
    secret = tmp_path / "password"
    secret.write_text("correct horse\n", encoding="utf-8")
    assert run(was, now, "--password-file", secret, "--exit-code")[0] == 0
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "correct horse")
    assert run(now, was, "--exit-code")[0] == 0
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "incorrect horse")
    code, _, err = run(was, now)
    assert code == 6
    assert "horse" not in err


def test_a_damaged_bundle_is_not_compared(run, tmp_path):
    was, now = bundle(tmp_path / "a"), bundle(tmp_path / "b")
    (now / "install.sh").write_bytes(b"rm -rf /\n")
    for pair in ((was, now), (now, was)):
        code, out, err = run(*pair)
        assert (code, out) == (6, "")
        assert "install.sh" in err


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("cut.json", json_codec.to_json(MANIFEST)[:-20], 6),
        ("young.json", json_codec.to_json(replace(MANIFEST, schema="arc-bundler/manifest/9")), 6),
        ("other.json", b'{"schema": "something/else"}', 6),
        ("cut.lock", json_codec.to_json(lock())[:-20], 4),
        ("text", b"hello", 6),
        ("empty", b"", 6),
        ("deep.json", b'{"schema": "arc-bundler/manifest/1", "x": ' + b"[" * 50_000, 6),
        ("cut.zip", b"PK\x03\x04", 6),
    ],
)
def test_damaged_and_foreign_files_are_refused_with_one_reason(run, tmp_path, name, content, code):
    good, bad = tmp_path / "good.json", tmp_path / name
    good.write_bytes(json_codec.to_json(MANIFEST))
    bad.write_bytes(content)
    for pair in ((good, bad), (bad, good)):
        ended, out, err = run(*pair)
        assert (ended, out) == (code, "")
        assert "What to do" in err


def test_an_error_about_a_hostile_document_is_harmless_too(run, tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(json_codec.to_json(MANIFEST))
    bad.write_bytes(json.dumps({**json_codec.to_tree(MANIFEST), "parameters": {"\x1b[2J\u202e": 5}}).encode())
    code, _, err = run(good, bad)
    assert code == 6
    assert "parameters.\\u{1b}[2J\\u{202e}" in err
    assert all(letter.isprintable() for letter in err.replace("\n", ""))


def test_what_is_not_there_is_a_matter_of_usage(run, tmp_path):
    assert run(tmp_path / "nowhere", tmp_path)[0] == 2
    assert run(tmp_path)[0] == 2


SAMPLES = [json_codec.to_json(MANIFEST), json_codec.to_json(lock())]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.integers(0), st.binary(max_size=3)), min_size=1, max_size=4))
def test_mutated_documents_raise_what_is_documented(tmp_path, document, mutations):
    mutated = bytearray(document)
    for place, piece in mutations:
        start = place % len(mutated)
        mutated[start : start + 1] = piece
    path = tmp_path / "mutated"
    path.write_bytes(mutated)
    with suppress(VerificationError, LockError, UsageError):
        describe(path)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda more: b'{"schema": "arc-bundler/lock/1"' + more))
def test_random_bytes_raise_what_is_documented(tmp_path, document):
    path = tmp_path / "random"
    path.write_bytes(document)
    with pytest.raises((VerificationError, LockError, UsageError)):
        describe(path)
