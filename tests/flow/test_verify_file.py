"""`verify-file`: the right verdict on every real file, as text and as JSON."""

from __future__ import annotations

import json
import shutil

import pytest

from bundler.cli.main import main

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
