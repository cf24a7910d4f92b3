"""Attacks and mistakes with seals, approvals, envelopes and secrets, by the commands."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bundler.flow.verify import hashes
from bundler.pack import append, staging
from tests.support.lab_project import Project, Ran
from tests.support.sealers import Identity, identity, private_key, recipient

ANCHORS = ("--anchors", "lab/authority/anchors.json")
CANARY = "q7E8Q~aPpRoVe.cAnArY-0123456789abcdefgh"
SERVICE = "method: service-principal-secret, service_principal_id: 33333333-3333-4333-8333-333333333333"


def keys(name: str, made: Identity) -> tuple[str, ...]:
    key, certificate = made.write(Path(), name)
    return "--seal-key", str(key), "--seal-certificate", str(certificate)


def said(ran: Ran) -> object:
    """How it ended: 0, or the code with the reason or the kind of the error."""
    if ran.code == 0:
        return 0
    error = ran.json["error"]
    return ran.code, error.get("reason", error["kind"])


def asked(*names: str, required: int = 1) -> str:
    people = ", ".join(f"{{name: {name.title()}, certificate: {name}.pem}}" for name in names)
    return f"{{required: {required}, approvers: [{people}]}}"


@pytest.fixture
def sealer() -> Identity:
    return identity("LAB sealer")


@pytest.fixture
def build(project: Project, sealer: Identity) -> Callable[..., Path]:
    """Build with changes to the definition; gives the folder of the outputs."""

    def made(outputs: str = "[{format: directory}]", **definition: str) -> Path:
        project.define(outputs=outputs, **definition)
        ran = project.run("build", *keys("sealer", sealer), "--format", "json")
        assert ran.code == 0, ran.err
        return Path("bundles/arc-test/1.0")

    return made


# ---- Who counts as a person


def test_two_certificates_of_one_key_are_one_approver(project: Project) -> None:
    one = identity("one")
    one.write(project.folder, "one")
    identity("one", purposes=()).write(project.folder, "two")
    project.define(approval=asked("one", "two", required=2))
    ran = project.run("build", *keys("sealer", identity("LAB sealer")), "--format", "json")
    assert said(ran) == (3, "definition")
    assert "it has the same key as 'One'" in ran.out


def test_who_seals_approves_nothing(project: Project, sealer: Identity) -> None:
    Identity(sealer.key, identity("LAB sealer", purposes=()).certificate).write(project.folder, "same")
    project.define(approval=asked("same"))
    ran = project.run("build", *keys("sealer", sealer), "--format", "json")
    assert said(ran) == (8, "signing")
    assert not Path("bundles").exists()


@pytest.mark.parametrize("name", ['"a\\0b"', '"a\\e[31mb"', '"a\\u202eb"', '"a\\nb"', '" Aiko"'])
def test_an_approver_s_name_is_what_is_read(project: Project, name: str) -> None:
    identity("aiko").write(project.folder, "aiko")
    project.define(approval=f"{{required: 1, approvers: [{{name: {name}, certificate: aiko.pem}}]}}")
    assert said(project.run("plan", "--format", "json")) == (3, "definition")


@pytest.mark.parametrize("name", ["'\"`$(touch x)</script>", "日本", "a\x1b[31mb"])
def test_a_sealer_s_name_is_text_wherever_it_stands(project: Project, build: Callable[..., Path], name: str) -> None:
    odd = identity(name)
    project.define(outputs="[{format: directory}]")
    assert project.run("build", *keys("odd", odd)).code == 0
    bundle = Path("bundles/arc-test/1.0/arc-test-1.0").absolute()
    told = subprocess.run(("bash", "verify.sh", "--signer", odd.sha256), cwd=bundle, capture_output=True, check=False)
    assert told.returncode == 0, told.stdout
    assert b"\x1b" not in told.stdout
    assert not (bundle / "x").exists()
    for text in ("review.html", "START-HERE.txt"):
        assert "\x1b" not in (bundle / text).read_text(encoding="utf-8")
    assert "<script>" not in (bundle / "review.html").read_text(encoding="utf-8").partition("touch x")[2][:20]


def test_verify_by_a_definition_wants_its_approvers(
    project: Project, sealer: Identity, build: Callable[..., Path]
) -> None:
    """A sealer with a definition without the approvals gets no bundle past another definition."""
    bundle = str(build(seal=f"{{signers: ['sha256:{sealer.sha256}']}}") / "arc-test-1.0")
    aiko = identity("aiko")
    aiko.write(project.folder, "aiko")
    by = ("--definition", "bundle.yaml", *ANCHORS, "--format", "json")
    assert said(project.run("verify", bundle, *by)) == 0
    project.define(seal=f"{{signers: ['sha256:{sealer.sha256}']}}", approval=asked("aiko"))
    assert said(project.run("verify", bundle, *by)) == (6, "unknown-approval")


def test_asking_for_no_seal_goes_with_nothing_that_asks_for_one(project: Project, build: Callable[..., Path]) -> None:
    bundle = str(build() / "arc-test-1.0")
    for more in (("--revocation-list", "x"), ("--signer", "0" * 64), ("--definition", "bundle.yaml")):
        assert project.run("verify", bundle, "--insecure-no-seal", *more, *ANCHORS).code == 2


@pytest.mark.parametrize("value", ["", " ", "\t\n"])
def test_an_empty_variable_names_no_signer(
    project: Project, build: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    bundle = str(build() / "arc-test-1.0")
    monkeypatch.setenv("ARC_BUNDLER_SIGNER", value)
    assert said(project.run("verify", bundle, *ANCHORS, "--format", "json")) == (6, "other-signer")


# ---- When


@pytest.mark.parametrize("taken", ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "9999-12-31T00:00:00Z"])
def test_no_bundle_is_built_that_servers_or_its_successors_would_conflict_with(
    project: Project, sealer: Identity, taken: str
) -> None:
    project.define(seal="{valid_days: 30}")
    assert project.run("lock").code == 0
    project.lock.write_text(json.dumps(json.loads(project.lock.read_text()) | {"created": taken}))
    assert said(project.run("build", "--locked", *keys("sealer", sealer), "--format", "json")) == (4, "lock")
    assert not Path("bundles").exists()


def test_a_time_without_a_zone_is_none(project: Project, build: Callable[..., Path]) -> None:
    manifest = build(seal="{valid_days: 30}") / "arc-test-1.0.manifest.json"
    document = json.loads(manifest.read_text())
    for name in ("created", "not_after"):
        Path("m.json").write_text(json.dumps(document | {name: "2026-01-01T00:00:00"}))
        assert said(project.run("inspect", "m.json", "--format", "json")) == (6, "malformed-manifest")
        assert said(project.run("diff", "m.json", str(manifest), "--format", "json")) == (6, "malformed-manifest")
    project.lock.write_text(json.dumps(json.loads(project.lock.read_text()) | {"created": "2026-01-01T00:00:00"}))
    assert project.run("build", "--locked").code == 4


# ---- What lies beside


def test_an_unchanged_bundle_has_its_seal_beside_too(
    project: Project, sealer: Identity, build: Callable[..., Path]
) -> None:
    beside = build() / "arc-test-1.0.manifest.json.p7s"
    again = ("build", *keys("sealer", sealer), "--format", "json")
    assert project.run(*again).json["unchanged"]
    for spoilt in (lambda: beside.write_bytes(b"x"), beside.unlink):
        spoilt()
        assert said(project.run(*again)) == (7, "write")


def test_an_unchanged_bundle_is_neither_stripped_nor_another_s(
    project: Project, sealer: Identity, build: Callable[..., Path]
) -> None:
    bundle = build() / "arc-test-1.0"
    held = (bundle / "SHA256SUMS.p7s").read_bytes()
    for content in (b"", held[:-1], held[:-1] + bytes([held[-1] ^ 1])):
        (bundle / "SHA256SUMS.p7s").write_bytes(content)
        assert said(project.run("build", *keys("sealer", sealer), "--format", "json")) == (7, "write")
    (bundle / "SHA256SUMS.p7s").write_bytes(held)
    assert said(project.run("build", *keys("other", identity("other")), "--format", "json")) == (7, "write")
    assert said(project.run("build", "--format", "json")) == (7, "write")


def test_provenance_of_another_or_of_no_kind(project: Project, sealer: Identity, build: Callable[..., Path]) -> None:
    final = build()
    trust_options = (*ANCHORS, "--signer", sealer.sha256, "--format", "json")
    (beside,) = final.glob("*.provenance.intoto.json")
    genuine = beside.read_bytes()
    shutil.rmtree("bundles")
    project.lock.unlink()
    build(tags="{a: b}")
    beside.write_bytes(genuine)
    verify = ("verify", str(final / "arc-test-1.0"), *trust_options)
    assert project.run(*verify).code == 6
    beside.unlink()
    assert said(project.run(*verify)) == 0
    if hasattr(os, "mkfifo"):
        os.mkfifo(beside)
        assert said(project.run(*verify)) == 0


# ---- Approving


@pytest.fixture
def aiko(project: Project) -> Identity:
    made = identity("aiko", kind="rsa-2048")
    made.write(project.folder, "aiko")
    return made


def digest(final: Path) -> str:
    return hashes(final / "arc-test-1.0", password=None).digest


BOTH = "[{format: directory}, {format: zip}]"


def test_a_link_to_an_archive_stays_one(project: Project, sealer: Identity, aiko: Identity, build) -> None:
    final = build(BOTH, approval=asked("aiko"))
    archive = final / "arc-test-1.0.zip"
    archive.chmod(0o640)
    Path("latest.zip").symlink_to(archive)
    approve = ("approve", "latest.zip", "--digest", digest(final), "--signer", sealer.sha256)
    assert project.run(*approve, *keys("aiko", aiko)).code == 0
    assert Path("latest.zip").is_symlink()
    assert not Path("latest.zip.sha256").exists()
    assert stat.S_IMODE(archive.stat().st_mode) == 0o640
    assert said(project.run("verify", str(archive), *ANCHORS, "--signer", sealer.sha256, "--format", "json")) == 0
    sums = (final / "arc-test-1.0.zip.sha256").name
    subprocess.run(("sha256sum", "-c", sums), cwd=final, capture_output=True, check=True)
    again = project.run("build", *keys("sealer", sealer), "--format", "json")
    assert (said(again), again.json["unchanged"]) == (0, True)


def test_two_who_approve_at_one_time_lose_nothing(project: Project, sealer: Identity, aiko: Identity, build) -> None:
    ben = identity("ben")
    ben.write(project.folder, "ben")
    final = build(BOTH, approval=asked("aiko", "ben", required=2))
    given = ("--digest", digest(final), "--signer", sealer.sha256, "--format", "json")
    archive = final / "arc-test-1.0.zip"
    with staging.exclusive(archive.resolve()):
        assert said(project.run("approve", str(archive), *given, *keys("aiko", aiko))) == (7, "write")
    for bundle in (archive, final / "arc-test-1.0"):
        for _ in range(20):
            codes = both(bundle, given, (keys("aiko", aiko), keys("ben", ben)))
            assert set(codes) <= {0, 7}
            if codes == [0, 0]:
                break
        verified = project.run("verify", str(bundle), *ANCHORS, "--signer", sealer.sha256, "--format", "json")
        assert said(verified) == 0
    assert not list(final.glob(".arc-bundler*"))


def both(bundle: Path, given: tuple[str, ...], who: tuple[tuple[str, ...], ...]) -> list[int]:
    """The exit codes of approvals by ``who`` that begin together."""
    command = (sys.executable, "-c", "from bundler.cli.main import run; run()", "approve", str(bundle), *given)
    running = [subprocess.Popen((*command, *one), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for one in who]
    return [process.wait() for process in running]


def test_an_approval_writes_no_embedded_secret_to_the_disk(
    project: Project, sealer: Identity, aiko: Identity, build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "of the archive")
    Path("secret").write_text(CANARY)
    project.define(
        authentication=f"{{{SERVICE}, secret: embedded}}",
        outputs="[{format: 7z, encrypted: true}]",
        approval=asked("aiko"),
    )
    embedding = ("--allow-embedded-secret", "--secret-file", "secret")
    built = project.run("build", *keys("sealer", sealer), *embedding, "--format", "json")
    assert built.code == 0, built.err
    archive = Path(built.json["outputs"][0]["path"])
    Path("secret").unlink()
    looked = []
    sound = append.writers.write

    def written(wanted, tree, out, **more):
        assert stat.S_IMODE(out.parent.stat().st_mode) == 0o700
        for file in out.parent.rglob("*"):
            looked.append(file)
            assert file.is_dir() or CANARY.encode() not in file.read_bytes()
        return sound(wanted, tree, out, **more)

    monkeypatch.setattr(append.writers, "write", written)
    given = ("--digest", built.json["outputs"][0]["digest"], "--signer", sealer.sha256, *keys("aiko", aiko))
    ran = project.run("approve", str(archive), *given, "-v")
    assert ran.code == 0, ran.err
    assert looked
    assert CANARY not in ran.out + ran.err
    assert CANARY.encode() not in archive.read_bytes()
    assert said(project.run("verify", str(archive), *ANCHORS, "--signer", sealer.sha256, "--format", "json")) == 0


# Everything is imported once; each approval is a fork of that.
_FORKER = """
import json, os, signal, sys, time
import bundler.cli.approve, bundler.flow.approve, bundler.signing.keys, bundler.pack.zip
from bundler.cli.main import main
for line in sys.stdin:
    after, arguments = json.loads(line)
    child = os.fork()
    if child == 0:
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1), os.dup2(silence, 2)
        os._exit(main(arguments))
    if after >= 0:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    print(os.WEXITSTATUS(status) if os.WIFEXITED(status) else "killed", flush=True)
"""


@contextmanager
def forker() -> Iterator[Callable[..., str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _FORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def run(after: float, *arguments: str) -> str:
        process.stdin.write(json.dumps([after, arguments]) + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    try:
        yield run
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork: each point is a process of its own")
@pytest.mark.parametrize("name", ["arc-test-1.0", "arc-test-1.0.zip"])
def test_killed_at_any_point_nothing_is_lost_and_the_same_command_completes(
    project: Project, sealer: Identity, aiko: Identity, build, name: str
) -> None:
    final = build(BOTH, approval=asked("aiko"))
    arguments = ("approve", str(final / name), "--digest", digest(final), "--signer", sealer.sha256)
    arguments += keys("aiko", aiko)
    shutil.copytree(final, "kept")
    killed = 0
    with forker() as run:
        assert run(-1, *arguments) == "0"  # warm
        shutil.rmtree(final)
        shutil.copytree("kept", final)
        began = time.monotonic()
        assert run(-1, *arguments) == "0"
        whole = time.monotonic() - began
        for point in range(12):
            shutil.rmtree(final)
            shutil.copytree("kept", final)
            killed += run(whole * point / 11, *arguments) == "killed"
            hashes(final / name, password=None)
            assert (final / "arc-test-1.0.zip.sha256").stat().st_size > 64
            if point % 5 == 0:
                assert run(-1, *arguments) == "0"
                assert not list(Path("bundles").rglob("*.partial"))
                assert said(project.run("verify", str(final / name), *ANCHORS, "--signer", sealer.sha256)) == 0
    assert killed > 3


def test_a_failed_write_is_reported_and_leaves_the_old_file(
    project: Project, sealer: Identity, aiko: Identity, build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, in the middle: the archive and its sum are those from before."""
    resource = pytest.importorskip("resource", reason="only POSIX bounds a file's size")
    final = build(BOTH, approval=asked("aiko"))
    before = {path: path.read_bytes() for path in final.glob("*.zip*")}
    given = ("--digest", digest(final), "--signer", sealer.sha256, *keys("aiko", aiko), "--format", "json")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        ran = project.run("approve", str(final / "arc-test-1.0.zip"), *given)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert said(ran) == (7, "write")
    assert {path: path.read_bytes() for path in final.glob("*.zip*")} == before
    assert not list(final.glob(".arc-bundler*"))


# ---- Envelopes


@pytest.fixture
def enclosing(project: Project, sealer: Identity) -> tuple[str, ...]:
    recipient().write(project.folder, "server")
    Path("secret").write_text(f"{CANARY}\n")
    return ("seal-secret", *keys("sealer", sealer), "--secret-file", "secret", "--format", "json")


def test_a_passphrase_that_cannot_be_kept_leaves_no_envelope(project: Project, enclosing: tuple[str, ...]) -> None:
    Path("words").write_text("of another envelope\n")
    for words in ("words", "arc-test.envelope", "./arc-test.envelope.p12"):
        ran = project.run(*enclosing, "--with-passphrase", "--passphrase-out", words)
        assert said(ran) == (7, "write"), words
        assert not list(project.folder.glob("*.envelope*"))
    assert Path("words").read_text() == "of another envelope\n"


def test_the_key_of_an_envelope_is_its_owner_s_alone(project: Project, enclosing: tuple[str, ...]) -> None:
    before = os.umask(0)
    try:
        assert project.run(*enclosing, "--with-passphrase", "--passphrase-out", "words").code == 0
    finally:
        os.umask(before)
    for name in ("arc-test.envelope.p12", "words"):
        assert stat.S_IMODE(Path(name).stat().st_mode) & 0o077 == 0


def test_the_scripts_would_not_open_what_another_key_signed(project: Project, enclosing: tuple[str, ...]) -> None:
    project.define(seal=f"{{signers: ['sha256:{'0' * 64}']}}")
    assert said(project.run(*enclosing, "--for", "server.pem")) == (8, "signing")
    assert not list(project.folder.glob("*.envelope*"))


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", 2), (b"\n", 2), (b" x \n", 2), (b"a\nb\n", 2), (b"\xff\xfea\0", 2), (b"\xef\xbb\xbfx\r\n", 0)],
)
def test_a_secret_s_file_as_editors_leave_it(
    project: Project, enclosing: tuple[str, ...], content: bytes, code: int
) -> None:
    Path("secret").write_bytes(content)
    assert project.run(*enclosing, "--for", "server.pem").code == code


def test_an_endless_file_is_no_secret(project: Project, enclosing: tuple[str, ...]) -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("this system has no endless file")
    project.define(authentication="{method: service-principal-certificate, service_principal_id: "
                "33333333-3333-4333-8333-333333333333, certificate_file: /etc/arc/sp.pem}")  # fmt: skip
    assert project.run(*enclosing[:-4], "--secret-file", "/dev/zero", "--for", "server.pem").code == 2


# ---- Secrets


def test_a_secret_with_a_stray_line_end_is_found_all_the_same(project: Project) -> None:
    Path("secret").write_bytes(b"opaque-value-42\n\n")
    project.define(tags="{note: opaque-value-42}", outputs="[{format: directory}]")
    ran = project.run("build", "--secret-file", "secret", "--format", "json")
    assert said(ran) == (9, "policy")


@pytest.mark.parametrize("secret", ["two\nlines-of-it\n", " blanks-around "])
def test_a_server_reads_the_secret_that_was_embedded(
    project: Project, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("ARC_BUNDLER_SECRET", secret)
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "of the archive")
    project.define(authentication=f"{{{SERVICE}, secret: embedded}}", outputs="[{format: 7z, encrypted: true}]")
    assert said(project.run("build", "--allow-embedded-secret", "--format", "json")) == (9, "policy")
    monkeypatch.setenv("ARC_BUNDLER_SECRET", CANARY)
    monkeypatch.setenv("ARC_BUNDLER_ALLOW_EMBEDDED_SECRET", "1")
    assert said(project.run("build", "--format", "json")) == (9, "policy")


def test_a_private_key_in_the_anchors_does_not_travel(project: Project) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    anchors = project.folder / "lab/authority/anchors.json"
    held = json.loads(anchors.read_text())
    pem = private_key("p-256").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    held["roots"][0]["pem"] += pem
    anchors.write_text(json.dumps(held))
    ran = project.run("build", "--format", "json")
    assert said(ran) == (9, "policy"), ran.err
    assert "evidence/anchors.json: a private key" in ran.out


@pytest.mark.skipif(os.name != "posix", reason="only POSIX has variables that are no text")
@pytest.mark.parametrize("variable", ["ARC_BUNDLER_SECRET", "ARC_BUNDLER_PASSWORD"])
def test_a_secret_that_is_no_text_is_in_no_message(
    project: Project, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv("ARC_BUNDLER_PASSWORD", "of the archive")
    monkeypatch.setenv(variable, "cAnArY-\udcff-0123")
    project.define(outputs="[{format: 7z, encrypted: true}]")
    ran = project.run("build", "-v", "--format", "json")
    assert ran.code in (0, 2), ran.err
    assert "cAnArY" not in ran.out + ran.err
