"""Which files the scripts room makes, and what they have baked in."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import DefinitionError
from bundler.products.arc_server import connect
from bundler.products.arc_server.codes import CODES
from tests.support import sample_bundles as sample

ADDRESS = re.compile(rb"https?://[^\s'\"\\]+|aka\.ms", re.IGNORECASE)


def made(*arguments, **more):
    return {entry.path: entry for entry in sample.entries(*arguments, **more)}


def test_every_platform_has_its_scripts():
    assert list(made()) == [
        "START-HERE.txt",
        "config/endpoints.json",
        "config/settings.json",
        "install.ps1",
        "install.sh",
        "verify.ps1",
        "verify.sh",
    ]


def test_a_platform_without_targets_has_none():
    assert not {"install.ps1", "verify.ps1"} & made(pins=(sample.DEB,)).keys()
    assert not {"install.sh", "verify.sh"} & made(pins=(sample.MSI,)).keys()


def test_bash_scripts_can_be_run_and_nothing_else():
    modes = {path: entry.mode for path, entry in made().items()}
    assert {path for path, mode in modes.items() if mode == 0o755} == {"install.sh", "verify.sh"}


def test_the_same_input_is_the_same_bytes():
    assert sample.entries() == sample.entries()


@pytest.mark.parametrize("parameters", sample.ONBOARDINGS.values(), ids=sample.ONBOARDINGS)
def test_scripts_are_ascii_with_one_kind_of_line_end(parameters):
    entries = made(parameters)
    for path in ("install.sh", "verify.sh"):
        assert entries[path].content.isascii()
        assert b"\r" not in entries[path].content
    for path in ("install.ps1", "verify.ps1"):
        content = entries[path].content
        assert content.isascii()
        assert content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")


def test_scripts_bake_in_the_hash_of_every_file_they_use():
    entries = made(extra={"payload/keys/k.asc": b"key"})
    facts = ["config/settings.json", "config/endpoints.json", "payload/keys/k.asc"]
    for script, pins in (("install.sh", (sample.DEB, sample.RPM)), ("install.ps1", (sample.MSI,))):
        text = entries[script].content.decode()
        for path in facts:
            assert f"'{path}'" in text
            assert hashlib.sha256(entries[path].content).hexdigest() in text
        for pin in pins:
            assert f"'{pin.path}'" in text
            assert pin.sha256 in text


# The machine itself and its hypervisor, an address put together from the table, and what a token is asked for.
LOCAL = re.compile(rb"http://(localhost|\(localhost|169\.254\.169\.254)\b.*", re.DOTALL)
MADE = re.compile(rb"https?://[%$}].*", re.DOTALL)  # of a variable, or a pattern that is cut off one
AUDIENCE = re.compile(rb"https://management\.(azure\.com|usgovcloudapi\.net|chinacloudapi\.cn)/?")


def test_scripts_name_no_address_that_the_definition_does_not():
    for path, entry in made().items():
        if path.startswith(("install", "verify")):
            found = set(ADDRESS.findall(entry.content))
            strange = {one for one in found if not any(form.fullmatch(one) for form in (LOCAL, MADE, AUDIENCE))}
            assert strange <= {b"http://proxy.example:3128"}, path


def test_settings_say_what_the_scripts_do():
    settings = json.loads(made(lab=True)["config/settings.json"].content)
    assert settings["lab"] is True
    assert settings["parameters"]["tags"] == sample.SECRET.tags
    assert [package["path"] for package in settings["packages"]] == [
        p.path for p in (sample.DEB, sample.RPM, sample.MSI)
    ]


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("install.sh", b"LAB='LAB'"),
        ("verify.sh", b"LAB='LAB'"),
        ("install.ps1", b"$script:Lab = $true"),
        ("verify.ps1", b"$script:Lab = $true"),
        ("START-HERE.txt", b"LAB"),
        ("config/settings.json", b'"lab": true'),
    ],
)
def test_a_lab_bundle_is_labelled(path, label):
    assert label in made(lab=True)[path].content
    assert label not in made(lab=False)[path].content


def test_connecting_takes_long_flag_names():
    parameters = replace(sample.SECRET, resource_name="web-1", gateway_id="/g", private_link_scope="/s")
    assert json.loads(connect.connect_json(parameters)) == {
        "cloud": "AzureCloud",
        "tenant-id": sample.SECRET.tenant_id,
        "subscription-id": sample.SUBSCRIPTION,
        "resource-group": "rg-arc",
        "location": "japaneast",
        "resource-name": "web-1",
        "tags": r"owner='it\'s 東京',cost='a,b=c\\d'",
        "correlation-id": sample.SECRET.correlation_id,
        "service-principal-id": sample.SECRET.service_principal_id,
        "private-link-scope": "/s",
        "gateway-id": "/g",
    }


def test_each_way_to_sign_in_has_its_flags():
    flags = {name: json.loads(connect.connect_json(o)) for name, o in sample.ONBOARDINGS.items()}
    assert flags["plain"]["use-device-code"] is True
    assert flags["certificate"]["service-principal-cert"] == "/etc/arc/sp.pem"
    assert json.loads(connect.connect_json(sample.THUMBPRINT))["service-principal-cert-thumbprint"] == "AB" * 20
    for given_flags in flags.values():
        assert not {"service-principal-secret", "access-token"} & given_flags.keys()


def test_a_windows_store_is_refused_for_linux():
    with pytest.raises(DefinitionError):
        sample.entries(sample.THUMBPRINT)


def untagged(text):
    """Tags read back by the rules of azcmagent-connect.md: quotes keep what is in them, backslashes what follows."""
    tags, parts, part, quoted, at = {}, [], "", False, 0
    while at <= len(text):
        character = text[at : at + 1]
        if character == "\\" and quoted:
            at += 1
            part += text[at]
        elif character == "'":
            quoted = not quoted
        elif not quoted and character in {"=", ",", ""}:
            parts.append(part)
            part = ""
        else:
            part += character
        at += 1
    tags = dict(zip(parts[::2], parts[1::2], strict=True))
    assert not quoted
    return tags


@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1))
def test_tags_can_be_read_back(tags):
    assert untagged(connect.tag_text(tags)) == tags


def test_a_code_has_one_meaning():
    assert len({code.number for code in CODES}) == len(CODES)
    assert all(0 < code.number < 256 for code in CODES)
    assert all(code.do.endswith(".") and not code.meaning.endswith(".") for code in CODES)
