"""Trust anchors: those that ship, and those of a file."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest

from bundler.errors import UsageError
from bundler.formats import json_codec
from bundler.model.anchor import Publisher
from bundler.trust import anchors
from tests.support.authenticode_material import anchors as lab_anchors
from tests.support.authenticode_material import good, pin, signer, verify


def load(tmp_path, content: bytes):
    file = tmp_path / "anchors.json"
    file.write_bytes(content)
    return anchors.load(file)


def test_microsofts_roots_are_those_that_were_pinned():
    held = anchors.microsoft()
    assert {(root.sha256[:8], root.purposes) for root in held.roots} == {
        ("847df6a7", ("code-signing",)),
        ("df545bf9", ("code-signing", "timestamping")),
        ("65af95f4", ("timestamping",)),
    }
    for root in held.roots:
        assert hashlib.sha256(anchors.certificate_der(root.pem)).hexdigest() == root.sha256
        assert root.source.startswith("https://www.microsoft.com/")


def test_the_root_for_third_parties_is_not_pinned():
    assert not [root for root in anchors.microsoft().roots if root.sha256.startswith("5367f20c")]


def test_microsofts_publisher_and_keys():
    held = anchors.microsoft()
    asked = ("1.3.6.1.5.5.7.3.3", "1.3.6.1.4.1.311.76.8.1")
    name = "Microsoft Corporation"
    assert held.publishers == (Publisher(common_name=name, organization=name, key_purposes=asked),)
    assert [key.fingerprint for key in held.package_keys] == [
        "BC528686B50D79E339D3721CEB3E94ADBE1229CF",
        "AA86F75E427A19DD33346403EE4D7792F748182B",
    ]
    assert not held.lab


def test_the_shipped_files_are_those_of_the_corpus(corpus):
    held = anchors.microsoft()
    for name, key in zip(("microsoft.asc", "microsoft-2025.asc"), held.package_keys, strict=True):
        assert (corpus / "keys" / name).read_bytes() == key.armored.encode()


def test_anchors_come_back_from_their_file(tmp_path):
    assert load(tmp_path, json_codec.to_json(lab_anchors())) == lab_anchors()


def test_the_digest_distinguishes_anchors():
    assert anchors.digest(lab_anchors()) == anchors.digest(lab_anchors())
    assert anchors.digest(lab_anchors()) != anchors.digest(lab_anchors(lab=False))
    assert len(anchors.digest(anchors.microsoft())) == 64


@pytest.mark.parametrize("name", ["Microsoft", "microsoft", " MICROSOFT ", ""])
def test_no_other_anchors_may_have_the_name_microsoft(tmp_path, name):
    with pytest.raises(UsageError):
        load(tmp_path, json_codec.to_json(lab_anchors(name=name)))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"name": "x", "more": 1}', b'{"name": 1}', b"\xff\xfe", b'{"name": "x", "roots": [{}]}'],
)
def test_invalid_anchors_files(tmp_path, content):
    with pytest.raises(UsageError):
        load(tmp_path, content)


def test_a_missing_file(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        anchors.load(tmp_path / "none.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "0" * 64},
        {"pem": "no certificate"},
        {"pem": "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"},
        {"pem": "-----BEGIN CERTIFICATE-----\nAAAA\n"},
    ],
)
def test_a_pin_that_does_not_fit(tmp_path, changes):
    root = dataclasses.replace(pin(signer().root, "code-signing"), **changes)
    with pytest.raises(UsageError):
        load(tmp_path, json_codec.to_json(lab_anchors(roots=(root,))))


@pytest.mark.parametrize(
    "changes", [{"common_name": ""}, {"organization": ""}, {"key_purposes": ()}, {"key_purposes": ("1.2.3",)}]
)
def test_a_publisher_that_anybody_could_be(tmp_path, changes):
    settings = {"common_name": "LAB", "organization": "LAB"} | changes
    with pytest.raises(UsageError):
        load(tmp_path, json_codec.to_json(lab_anchors(publishers=(Publisher(**settings),))))


def test_a_changed_installation_is_detected(tmp_path, monkeypatch):
    folder = tmp_path / "anchors"
    folder.mkdir()
    for file in anchors._FOLDER.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(anchors, "_FOLDER", folder)
    assert anchors.microsoft()
    facts = json.loads((folder / "microsoft.json").read_bytes())
    facts["roots"][0]["file"] = facts["roots"][1]["file"]
    (folder / "microsoft.json").write_text(json.dumps(facts))
    with pytest.raises(UsageError, match="does not match its pin"):
        anchors.microsoft()


def test_an_invalid_revocation_list(tmp_path):
    held = load(tmp_path, json_codec.to_json(lab_anchors(revocation_lists=("no list",))))
    with pytest.raises(UsageError):
        verify(good("ps1"), "ps1", by=held)
