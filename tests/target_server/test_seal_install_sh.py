"""install.sh and verify.sh with a sealed bundle, on a server that has openssl, gpgv, or neither."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace

import pytest

from bundler.formats import fingerprint_words
from tests.support import package_signing, small_root
from tests.support import sample_bundles as sample
from tests.support import seal_cases as cases
from tests.support import sealed_bundles as sealed
from tests.support.receipts import problems
from tests.support.seal_cases import FIRST, SEALER, THIRD
from tests.support.small_root import put

SERIAL = 20261122010203
RECIPE = replace(cases.APPROVED, lab=True, serial=SERIAL, pins=(sample.DEB,))
OPENPGP = replace(cases.BOTH, lab=True, pins=(sample.DEB,))


def install(server, recipe):
    return sealed.write(server / "bundle", recipe)


@pytest.fixture
def server(tmp_path, bash):
    small_root.need()
    root = small_root.make(tmp_path / "root", sample.LINUX_VERSION, bash)
    put(root / "root/secret", "secret\n", 0o600)
    return root


@pytest.fixture
def sealed_server(server):
    """With openssl and a sealed, approved bundle."""
    server.add("openssl")
    install(server, RECIPE)
    return server


def run(server, *arguments, **more):
    return server.run("--secret-file", "/root/secret", *arguments, **more)


def receipt(server):
    path = max((server / "var/log/arc-bundler").glob("receipt-*.json"))
    read = json.loads(path.read_bytes())
    assert problems(read) == []
    return read


def nothing_was_installed(server):
    return not (server / "packages").exists() and not (server / "opt/azcmagent").exists()


def test_it_installs_and_says_on_whose_word(sealed_server):
    ended = run(sealed_server)
    assert ended.code == 0, ended.out
    assert "signed by CN=LAB sealer" in ended.out
    assert "approved by Approver 0, Approver 2" in ended.out
    written = receipt(sealed_server)["bundle"]
    assert written["serial"] == SERIAL
    assert written["seal"] == {
        "signer": SEALER.fingerprint,
        "verified": True,
        "approvals": [FIRST.fingerprint, THIRD.fingerprint],
        "checked_with": "openssl",
    }
    assert list((sealed_server / "var/tmp").iterdir()) == []


def verifier_replaced(bundle):
    (bundle / "verify.sh").write_text("#!/bin/bash\nexit 0\n")


def package_changed_and_sums_fixed(bundle):
    (bundle / sample.DEB.path).write_bytes(b"another package")
    cases.sums_fixed(bundle)


def all_seals_removed(bundle):
    cases.each(cases.removed(cases.P7S, cases.MANIFEST_P7S), cases.without_approval(FIRST, THIRD))(bundle)


def as_if_unsealed(bundle):
    """The files of a bundle that nobody sealed, around the sealed one's install.sh."""
    script = (bundle / "install.sh").read_bytes()
    all_seals_removed(bundle)
    for path, content in sealed.contents(replace(RECIPE, sealer=None, approvers=(), required=0, approved=())).items():
        (bundle / path).write_bytes(content)
    (bundle / "install.sh").write_bytes(script)
    cases.sums_fixed(bundle)


def a_stranger_seals(bundle):
    package_changed_and_sums_fixed(bundle)
    cases.each(cases.by(cases.STRANGER), cases.by(cases.STRANGER, "manifest.json"))(bundle)


TAMPERINGS = {
    "verify.sh replaced": (200, verifier_replaced),
    "a file added": (200, cases.write("payload/more.sh", b"x")),
    "the manifest removed": (200, cases.removed("manifest.json")),
    "the sums removed": (200, cases.removed("SHA256SUMS")),
    "a file that it does not use is a link": (200, cases.linked),
    "the seal over the sums removed": (201, cases.removed(cases.P7S)),
    "the seal over the manifest removed": (201, cases.removed(cases.MANIFEST_P7S)),
    "the package changed, sums fixed": (201, package_changed_and_sums_fixed),
    "all seals removed": (201, all_seals_removed),
    "as if nobody had sealed it": (201, as_if_unsealed),
    "a stranger seals": (201, a_stranger_seals),
    "the seals of another bundle": (201, cases.of_another_bundle),
    "an approval taken away": (201, cases.without_approval(FIRST)),
    "an approval by a stranger": (201, cases.approval(cases.STRANGER)),
}


@pytest.mark.parametrize(("code", "damage"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_nothing_beside_it_switches_that_off(sealed_server, code, damage):
    damage(sealed_server / "bundle")
    for mode in ((), ("--check",), ("--dry-run",)):
        ended = run(sealed_server, *mode)
        assert ended.code == code, ended.out
    assert nothing_was_installed(sealed_server)
    written = receipt(sealed_server)
    assert (written["code"], written["bundle"]["seal"]["verified"]) == (code, False)


def test_what_was_installed_can_be_taken_off_again_whatever_became_of_the_bundle(sealed_server):
    assert run(sealed_server).code == 0
    all_seals_removed(sealed_server / "bundle")
    assert run(sealed_server, "--uninstall").code == 0
    assert not (sealed_server / "opt/azcmagent").exists()


SPOKEN = "SHA256 Fingerprint=" + ":".join(
    SEALER.fingerprint.upper()[at : at + 2] for at in range(0, len(SEALER.fingerprint), 2)
)


@pytest.mark.parametrize("how", ["argument", "variable"])
@pytest.mark.parametrize(
    ("given", "code"),
    [
        (SEALER.fingerprint, 0),
        (f"sha256:{SEALER.fingerprint.upper()}", 0),
        (" ".join(SEALER.fingerprint[at : at + 4] for at in range(0, 64, 4)), 0),
        (SPOKEN, 0),
        (cases.STRANGER.fingerprint, 201),
        (FIRST.fingerprint, 201),
        ("0" * 40, 201),
        (SEALER.fingerprint[:-1], 205),
        ("somebody", 205),
    ],
    # Keys are made anew in each process, and the names of tests must not be.
    ids=[
        "digits",
        "capitals",
        "fours",
        "as openssl says it",
        "stranger",
        "approver",
        "zeros",
        "one digit less",
        "name",
    ],
)
def test_a_signer_may_be_demanded(sealed_server, how, given, code):
    named = ("--signer", given) if how == "argument" else ()
    environment = {} if how == "argument" else {"ARC_BUNDLER_SIGNER": given}
    assert run(sealed_server, *named, "--check", environment=environment).code == code
    verified = sealed_server.run(*named, script="verify.sh", environment=environment)
    assert verified.code == code, verified.out


def test_a_bundle_that_nobody_sealed_is_installed_and_said_to_be(server):
    install(server, replace(RECIPE, sealer=None, approvers=(), required=0, approved=()))
    assert run(server, "--signer", SEALER.fingerprint).code == 201
    assert nothing_was_installed(server)
    ended = run(server)
    assert ended.code == 0, ended.out
    assert "this bundle is not sealed" in ended.out
    unsealed = {"signer": "", "verified": False, "approvals": [], "checked_with": ""}
    assert receipt(server)["bundle"]["seal"] == unsealed


# ---- Other tools ----


def test_without_a_tool_it_says_which_to_install(server):
    install(server, OPENPGP)
    ended = run(server)
    assert ended.code == 213
    assert "install openssl (package openssl) or gpgv" in ended.out
    assert 'here "dpkg -i openssl_*.deb"' in ended.out
    assert nothing_was_installed(server)
    assert server.run("--signer", SEALER.fingerprint, script="verify.sh").code == 213
    # What is wrong is graver than what cannot be checked.
    assert server.run("--signer", cases.STRANGER.fingerprint, script="verify.sh").code == 201
    assert server.run("--insecure-no-seal", script="verify.sh").code == 0


def test_gpgv_alone_checks_the_openpgp_seal_and_says_what_it_did_not(server):
    server.add("gpgv")
    install(server, OPENPGP)
    ended = run(server)
    assert ended.code == 0, ended.out
    assert "not checked: the X.509 signatures" in ended.out
    assert receipt(server)["bundle"]["seal"]["checked_with"] == "gpgv"
    for given in (SEALER.fingerprint, OPENPGP.openpgp.fingerprint):
        verified = server.run("--signer", given, script="verify.sh")
        assert verified.code == 0, verified.out
        assert "NOT CHECKED: the X.509 signatures" in verified.out
    assert server.run("--signer", "0" * 40, script="verify.sh").code == 201


@pytest.mark.parametrize(
    "key",
    [
        package_signing.Key(revoked=True),
        package_signing.Key(expires=sealed.NOW - sealed.DAY),
        package_signing.Key(digest="sha1"),
    ],
    ids=["revoked", "expired", "sha1"],
)
def test_gpgv_is_not_believed_by_its_exit_code(server, key):
    server.add("gpgv")
    install(server, replace(OPENPGP, openpgp=sealed.OpenPgp(key)))
    ended = run(server)
    assert ended.code == 201, ended.out
    assert nothing_was_installed(server)


def by_another_key(bundle):
    other = sealed.OpenPgp(package_signing.Key(name="other"))
    for path in ("SHA256SUMS", "manifest.json"):
        (bundle / f"{path}.asc").write_bytes(other.sign((bundle / path).read_bytes()))


def by_two_keys(bundle):
    content = (bundle / "SHA256SUMS").read_bytes()
    keys = (OPENPGP.openpgp.key, package_signing.Key(name="other"))
    both = b"".join(key.detached(content, sealed.NOW) for key in keys)
    (bundle / "SHA256SUMS.asc").write_text(sealed.armor(both, "PGP SIGNATURE"))


@pytest.mark.parametrize(
    "damage", [by_another_key, by_two_keys, cases.removed("manifest.json.asc"), cases.removed(cases.P7S)]
)
def test_gpgv_finds_what_is_wrong(server, damage):
    server.add("gpgv")
    damage(install(server, OPENPGP))
    assert run(server).code == 201
    assert nothing_was_installed(server)


def test_gpgv_alone_does_for_no_approvals_and_no_certificate(server):
    server.add("gpgv")
    bundle = install(server, replace(RECIPE, openpgp=sealed.OpenPgp()))
    ended = run(server)
    assert ended.code == 213
    assert "gpgv cannot check approvals" in ended.out
    for path in sorted(bundle.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    install(server, cases.PLAIN)
    assert run(server).code == 213


def test_with_both_tools_an_openpgp_fingerprint_is_looked_at_too(server):
    server.add("openssl")
    bundle = install(server, OPENPGP)
    fingerprint = OPENPGP.openpgp.fingerprint
    assert server.run("--signer", fingerprint, script="verify.sh").code == 213
    server.add("gpgv")
    assert server.run("--signer", fingerprint, script="verify.sh").code == 0
    by_another_key(bundle)
    for path in ("SHA256SUMS.asc", "manifest.json.asc"):
        cases.by(SEALER, path)(bundle)
    assert server.run("--signer", SEALER.fingerprint, script="verify.sh").code == 0
    assert server.run("--signer", fingerprint, script="verify.sh").code == 201


# ---- No step back ----


def test_an_older_bundle_of_the_same_name_is_refused(sealed_server):
    assert run(sealed_server).code == 0
    kept = sealed_server / "var/lib/arc-bundler/serials"
    assert kept.read_text() == f"{SERIAL} arc-tokyo\n"
    install(sealed_server, replace(RECIPE, serial=SERIAL - 1))
    for mode in ((), ("--check",), ("--dry-run",)):
        ended = run(sealed_server, *mode)
        assert ended.code == 201, ended.out
        assert f"({SERIAL - 1})" in ended.out
        assert f"({SERIAL})" in ended.out
    assert run(sealed_server, "--allow-older").code == 0
    assert receipt(sealed_server)["switches"] == ["--allow-older"]
    assert kept.read_text() == f"{SERIAL} arc-tokyo\n"
    assert run(sealed_server).code == 201
    install(sealed_server, replace(RECIPE, serial=SERIAL + 1))
    assert run(sealed_server).code == 0
    assert kept.read_text() == f"{SERIAL + 1} arc-tokyo\n"


def test_what_ran_is_remembered_after_the_agent_is_gone_and_only_when_it_ran(sealed_server):
    put(sealed_server / "apt-fails", "")
    assert run(sealed_server).code == 143
    assert not (sealed_server / "var/lib/arc-bundler/serials").exists()
    (sealed_server / "apt-fails").unlink()
    put(sealed_server / "var/lib/arc-bundler/serials", f"{SERIAL + 5} arc-osaka\n1 arc-tokyo\n", 0o600)
    assert run(sealed_server).code == 0
    assert run(sealed_server, "--uninstall").code == 0
    lines = (sealed_server / "var/lib/arc-bundler/serials").read_text()
    assert lines == f"{SERIAL + 5} arc-osaka\n{SERIAL} arc-tokyo\n"
    put(sealed_server / "var/lib/arc-bundler/serials", "newest arc-tokyo\n", 0o600)
    assert run(sealed_server).code == 202


# ---- A person ----


def test_in_a_terminal_verify_asks_whom_to_believe(sealed_server):
    pty = pytest.importorskip("pty")
    in_lines = "\n".join(fingerprint_words.lines(fingerprint_words.words(SEALER.fingerprint)))
    of_another = " ".join(fingerprint_words.words(cases.STRANGER.fingerprint))
    answers = {
        SEALER.fingerprint: 0,
        cases.STRANGER.fingerprint: 201,
        "": 201,
        in_lines: 0,
        of_another: 201,
        "zoo zoo\n": 205,
    }
    for answer, code in answers.items():
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [shutil.which("chroot"), sealed_server.root, "/bin/bash", "/bundle/verify.sh"],
            env={"PATH": "/bin:/usr/bin"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        os.write(master, answer.encode() + b"\n")
        said = b""
        while b"Fingerprint of the sealer" not in said:
            said += os.read(master, 4096)
        assert process.wait(30) == code
        os.close(master)
        # Nothing of the seal is shown before the user has named one.
        assert b"Signed by:" not in said


@pytest.mark.parametrize(
    "path", [".:/bin:/usr/bin", ":/bin:/usr/bin", "/bin:./:/usr/bin", "/bin::/usr/bin:", "here:/bin:"]
)
@pytest.mark.parametrize("script", ["install.sh", "verify.sh"])
def test_nothing_is_run_from_the_folder_that_we_stand_in(server, script, path):
    install(server, RECIPE)
    for folder in ("", "here"):
        for name in ("sha256sum", "find", "dirname", "openssl", "curl"):
            put(server / folder / name, '#!/bin/bash\n: >/pwned\n[[ $0 == openssl ]] || exec "/bin/${0##*/}" "$@"\n')
    ended = (
        run(server, script=script, environment={"PATH": path})
        if script == "install.sh"
        else server.run("--signer", SEALER.fingerprint, script=script, environment={"PATH": path})
    )
    assert not (server / "pwned").exists()
    # As there is no openssl but theirs.
    assert ended.code == 213, ended.out


def test_the_commands_of_start_here_do_it_by_hand(server, tmp_path):
    bundle = install(server, OPENPGP)
    text = (bundle / "START-HERE.txt").read_text()
    lines = text.replace("\r", "").split("\n")
    start = next(at for at, line in enumerate(lines) if "openssl cms" in line)
    command = "\n".join(lines[start : start + 3])
    done = subprocess.run(["bash", "-c", command], cwd=bundle, capture_output=True, text=True, check=True)
    fingerprint = SEALER.fingerprint.upper()
    assert ":".join(fingerprint[at : at + 2] for at in range(0, 64, 2)) in done.stdout
    assert f"{sample.DEB.path}: OK" in done.stdout
    command = next(line for line in lines if "gpgv --keyring" in line)
    done = subprocess.run(["bash", "-c", command], cwd=bundle, capture_output=True, text=True, check=True)
    assert "Good signature" in done.stderr
    assert OPENPGP.openpgp.fingerprint in done.stderr
