"""`verify-file`: the right verdict on every real file, as text and as JSON."""

from __future__ import annotations

import json
import shutil

import pytest

from bundler.cli.main import main
from tests.support import authenticode_material as material

WANTED = {
    "authenticode/good-microsoft-2023.msi": "",
    "authenticode/good-microsoft-pca2024.dll": "",
    "authenticode/good-microsoft.psd1": "",
    "authenticode/bad-jar-appended.msi": "trailing-data",
    "authenticode/bad-other-publisher-same-root.dll": "wrong-publisher",
    "deb/good-packages-microsoft-prod.deb": "",
    "rpm/good-packages-microsoft-prod.rpm": "",
    "rpm/bad-signature-stripped.rpm": "unsigned",
    "damaged/html-page.msi": "html",
    "damaged/truncated.msi": "truncated",
    "keys/microsoft.asc": "",
    "keys/microsoft-2025.asc": "",
    "keys/microsoft-old-sha1-binding.asc": "weak-digest",
    "roots/ms-root-2011.pem": "",
    "roots/ms-root-2010.pem": "",
    "roots/ms-timestamp-root-2014.pem": "",
    "roots/ms-idv-root-2020.pem": "not-pinned",
    "repository/InRelease": "",
    "repository/main_binary-amd64_Packages.gz": "not-named",
}


def verdicts(capsys, *arguments):
    code = main(["verify-file", *map(str, arguments), "--format", "json"])
    return code, json.loads(capsys.readouterr().out)["files"]


@pytest.mark.parametrize("name", WANTED)
def test_every_real_file_has_its_wanted_verdict(corpus, capsys, name):
    code, (found,) = verdicts(capsys, corpus / name)
    assert (found["verified"], found["reason"]) == (WANTED[name] == "", WANTED[name])
    assert code == (0 if WANTED[name] == "" else 6)
    assert found["why"]
    if WANTED[name]:
        assert found["do"] or found["meaning"]


def test_the_signer_chain_and_timestamp_are_shown(corpus, capsys):
    _, (found,) = verdicts(capsys, corpus / "authenticode/good-microsoft-2023.msi")
    evidence = found["evidence"]
    assert "CN=Microsoft Corporation" in evidence["signer"]
    assert evidence["chain"][-1]["subject"].startswith("CN=Microsoft Root Certificate Authority 2011")
    assert evidence["signed_at"].startswith("2023-01-28")
    assert "Time-Stamp" in evidence["timestamped_by"]


def test_an_index_verifies_beside_the_release_that_lists_it(corpus, capsys):
    code, found = verdicts(capsys, *sorted((corpus / "repository").iterdir()))
    assert code == 0
    assert all(each["verified"] for each in found)


def test_a_changed_index_is_not(corpus, capsys, tmp_path):
    changed = tmp_path / "Packages.gz"
    content = bytearray((corpus / "repository/main_binary-amd64_Packages.gz").read_bytes())
    content[-20] ^= 1
    changed.write_bytes(content)
    code, found = verdicts(capsys, corpus / "repository/InRelease", changed)
    assert code == 6
    assert [each["verified"] for each in found] == [True, False]


def test_one_refused_file_does_not_stop_the_others(corpus, capsys):
    names = ("damaged/html-page.msi", "deb/good-packages-microsoft-prod.deb")
    code, found = verdicts(capsys, *(corpus / name for name in names))
    assert code == 6
    assert [each["verified"] for each in found] == [False, True]


def test_another_publisher_can_be_demanded(corpus, capsys):
    file = corpus / "authenticode/good-microsoft-2023.msi"
    assert main(["verify-file", str(file), "--publisher", "Contoso"]) == 6
    assert main(["verify-file", str(file), "--publisher", "Microsoft Corporation"]) == 0
    capsys.readouterr()


def test_the_kind_does_not_depend_on_the_name(corpus, capsys, tmp_path):
    renamed = tmp_path / "agent.msi"
    shutil.copy(corpus / "deb/good-packages-microsoft-prod.deb", renamed)
    code, (found,) = verdicts(capsys, renamed)
    assert (code, found["kind"], found["verified"]) == (0, "deb", True)


def test_the_one_reason_and_its_meaning_stand_on_the_screen(corpus, capsys):
    assert main(["verify-file", str(corpus / "damaged/html-page.msi")]) == 6
    out = capsys.readouterr().out
    assert "REFUSED" in out
    assert "proxy or portal answered instead of Microsoft" in out


LINE_ENDS = {
    "LF to CR LF": lambda content: content.replace(b"\n", b"\r\n"),
    "no CR": lambda content: content.replace(b"\r", b""),
    "no LF": lambda content: content.replace(b"\n", b"\r"),
    "seven bits": lambda content: bytes(byte & 0x7F for byte in content),
    "as UTF-8": lambda content: content.decode("utf-8", "replace").encode(),
}


@pytest.mark.parametrize("how", LINE_ENDS)
@pytest.mark.parametrize(
    "name",
    [
        "authenticode/good-microsoft-2023.msi",
        "authenticode/good-microsoft-pca2024.dll",
        "deb/good-packages-microsoft-prod.deb",
        "rpm/good-packages-microsoft-prod.rpm",
        "repository/main_binary-amd64_Packages.gz",
    ],
)
def test_a_file_that_was_copied_as_text_is_named_as_that(corpus, capsys, tmp_path, name, how):
    if how in {"seven bits", "as UTF-8"} and name.endswith((".dll", ".deb")):
        pytest.skip("the kind starts with plain letters, which these changes keep")
    if how in {"no CR", "no LF"} and name.endswith(".rpm"):
        pytest.skip("9 kB with 20 line feeds are too few to tell; the agent's rpm has 80 MB")
    changed = tmp_path / "changed"
    changed.write_bytes(LINE_ENDS[how]((corpus / name).read_bytes()))
    _, (found,) = verdicts(capsys, changed)
    assert found["reason"] == "line-endings"
    assert found["do"] == "copy it in binary mode"


def test_a_genuine_installer_cut_short_is_not_called_that(corpus, capsys, tmp_path):
    cut = tmp_path / "cut.msi"
    cut.write_bytes((corpus / "authenticode/good-microsoft-2023.msi").read_bytes()[:-4096])
    _, (found,) = verdicts(capsys, cut)
    assert found["reason"] == "truncated"


class TestUnsigned:
    """An ordinary file without a signature is unsigned, whatever form its maker gives it."""

    @pytest.mark.parametrize("more", [b"", b"\n", b"remains" * 9, b"x" * 512, b"PK\5\6" + bytes(508)])
    def test_an_installer(self, capsys, tmp_path, more):
        plain = tmp_path / "plain.msi"
        plain.write_bytes(material.msi() + more)
        _, (found,) = verdicts(capsys, plain)
        assert (found["kind"], found["reason"]) == ("msi", "unsigned")

    def test_an_installer_with_an_unknown_stream(self, capsys, tmp_path):
        plain = tmp_path / "plain.msi"
        plain.write_bytes(material.msi_again(material.msi_streams() | {"\x05Own": b"of its maker"}))
        _, (found,) = verdicts(capsys, plain)
        assert found["reason"] == "unsigned"

    @pytest.mark.parametrize("more", [b"", b"overlay" * 99])
    def test_a_program(self, capsys, tmp_path, more):
        plain = tmp_path / "setup.exe"
        plain.write_bytes(material.pe() + more)
        _, (found,) = verdicts(capsys, plain)
        assert (found["kind"], found["reason"]) == ("pe", "unsigned")

    @pytest.mark.parametrize("ending", [".ps1", ".psm1", ".PSD1"])
    def test_a_script(self, capsys, tmp_path, ending):
        plain = tmp_path / f"plain{ending}"
        plain.write_bytes(material.ps1())
        _, (found,) = verdicts(capsys, plain)
        assert found["reason"] == "unsigned"

    def test_a_text_is_of_unknown_kind(self, capsys, tmp_path):
        plain = tmp_path / "notes.txt"
        plain.write_bytes(material.ps1())
        _, (found,) = verdicts(capsys, plain)
        assert found["reason"] == "unknown-kind"

    def test_an_installer_that_names_a_signature_is_not(self, capsys, tmp_path):
        hidden = tmp_path / "hidden.msi"
        hidden.write_bytes(material.good("msi") + b"x" * 512)
        _, (found,) = verdicts(capsys, hidden)
        assert found["reason"] == "trailing-data"
