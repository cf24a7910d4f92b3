"""verify.sh and verify.ps1 believe a whole bundle and no other; here without a seal, of which test_seal_* tell."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess

import pytest

from bundler.render import quoting
from tests.support import bashes
from tests.support import sample_bundles as sample


def verify_sh(bundles, bash):
    for bundle in bundles:
        command = [bash, bundle / "verify.sh", "--insecure-no-seal"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
        yield done.returncode, done.stdout + done.stderr


def verify_ps1(bundles, powershell):
    """One process for all of them: starting one takes longer than its work."""
    script = "".join(
        f'& {quoting.powershell(str(bundle / "verify.ps1"))} -InsecureNoSeal\nWrite-Host "<<$LASTEXITCODE>>"\n'
        for bundle in bundles
    )
    file = bundles[0].parent / "all.ps1"
    file.write_text(script, encoding="ascii")
    command = [powershell, "-NoProfile", "-NonInteractive", "-File", file]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for said, code in re.findall(r"(.*?)<<(\d+)>>\n", done.stdout, re.DOTALL):
        yield int(code), said


@pytest.fixture(params=[*map(bashes.name, bashes.paths()), "powershell"])
def verify(request):
    """Runs the bundles' own scripts; gives each one's exit code and words."""
    if request.param == "powershell":
        powershell = request.getfixturevalue("powershell")
        return lambda *bundles: list(verify_ps1(bundles, powershell))
    bash = {bashes.name(path): path for path in bashes.paths()}[request.param]
    return lambda *bundles: list(verify_sh(bundles, bash))


@pytest.fixture
def bundle(tmp_path):
    """Makes bundles, in folders with a name that has to be quoted."""

    def make(name=""):
        folder = tmp_path / name / "a [bundle]'s $(x) 東京"
        return sample.write(folder, extra={"evidence/東京.txt": b"x"})

    return make


def listed(bundle, text):
    (bundle / "SHA256SUMS").write_text(text)


def test_a_whole_bundle_is_believed_and_its_digest_said(bundle, verify):
    whole, again = bundle("whole"), bundle("again")
    sums = (whole / "SHA256SUMS").read_bytes()
    for code, said in verify(whole, again):
        assert code == 0, said
        assert hashlib.sha256(sums).hexdigest() in said
        assert re.search(rf"{sums.count(b'  ')} files match SHA256SUMS", said)


def changed(bundle):
    path = bundle / sample.MSI.path
    path.write_bytes(path.read_bytes() + b"x")
    return sample.MSI.path


def missing(bundle):
    (bundle / sample.DEB.path).unlink()
    return sample.DEB.path


def extra(bundle):
    (bundle / "payload/extra.sh").write_bytes(b"x")
    return "payload/extra.sh"


def seal_of_nobody(bundle):
    (bundle / "SHA256SUMS.p7s").write_bytes(b"x")
    return "SHA256SUMS.p7s"


def hidden(bundle):
    (bundle / ".extra").write_bytes(b"x")
    return ".extra"


def link(bundle):
    path = bundle / "config/settings.json"
    content = path.read_bytes()
    path.unlink()
    (bundle.parent / "beside").write_bytes(content)
    path.symlink_to(bundle.parent / "beside")
    return "config/settings.json"


def folder_link(bundle):
    (bundle / "config").rename(bundle.parent / "config")
    (bundle / "config").symlink_to(bundle.parent / "config", target_is_directory=True)
    return "config"


def leaving(bundle):
    (bundle.parent / "outside").write_bytes(b"x")
    sums = (bundle / "SHA256SUMS").read_text() + f"{hashlib.sha256(b'x').hexdigest()}  ../outside\n"
    listed(bundle, sums)
    return "../outside"


def no_line(bundle):
    listed(bundle, (bundle / "SHA256SUMS").read_text() + "free text\n")
    return "free text"


def no_sums(bundle):
    (bundle / "SHA256SUMS").unlink()
    return "SHA256SUMS is missing"


def nothing_listed(bundle):
    for path in bundle.iterdir():
        if path.name not in {"verify.sh", "verify.ps1"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    listed(bundle, "")
    return "lists nothing"


DAMAGES = [
    changed,
    missing,
    extra,
    seal_of_nobody,
    hidden,
    link,
    folder_link,
    leaving,
    no_line,
    no_sums,
    nothing_listed,
]


def test_any_other_is_refused(bundle, verify):
    bundles = [bundle(damage.__name__) for damage in DAMAGES]
    expected = [damage(made) for damage, made in zip(DAMAGES, bundles, strict=True)]
    answers = verify(*bundles)
    assert len(answers) == len(DAMAGES)
    for damage, what, (code, said) in zip(DAMAGES, expected, answers, strict=True):
        assert code == 200, (damage, said)
        assert what in said, damage
        assert "Digest of this bundle" not in said
