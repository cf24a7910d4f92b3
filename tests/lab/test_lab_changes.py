"""Upstream changes: newer builds, older states, other bytes under one version."""

from __future__ import annotations

import gzip
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import pysequoia
import pytest
import requests

JAMMY = "/packages.microsoft.com/ubuntu/22.04/prod"
NINE = "/packages.microsoft.com/rhel/9/prod"


def get(lab, path):
    answer = requests.get(lab.url + path, verify=lab.ca_file, timeout=10)
    answer.raise_for_status()
    return answer.content


def release(lab):
    """The fields of the signed Release of jammy."""
    keys = [pysequoia.Cert.from_bytes(key.armored.encode()) for key in lab.anchors.package_keys]
    signed = pysequoia.verify(get(lab, JAMMY + "/dists/jammy/InRelease"), lambda _: keys).bytes.decode()
    return dict(line.split(": ", 1) for line in signed.splitlines() if ": " in line)


def date(lab):
    return parsedate_to_datetime(release(lab)["Date"].replace("UTC", "GMT"))


def versions(lab):
    index = gzip.decompress(get(lab, JAMMY + "/dists/jammy/main/binary-amd64/Packages.gz")).decode()
    return [line.split()[1] for line in index.splitlines() if line.startswith("Version: ")]


def test_a_new_build_appears_everywhere_and_the_metadata_is_newer(lab):
    before, latest = date(lab), get(lab, "/gbl.his.arc.azure.com/azcmagent/latest/AzureConnectedMachineAgent.msi")
    lab.publish("1.69.03560.1450")
    assert versions(lab)[-1] == "1.69.03560.1450"
    assert before < date(lab) < datetime.now(timezone.utc)
    assert get(lab, "/gbl.his.arc.azure.com/azcmagent/latest/AzureConnectedMachineAgent.msi") != latest
    assert b"1.69.03560" not in latest
    get(lab, NINE + "/Packages/a/azcmagent-1.69.03560-1450.x86_64.rpm")


def test_an_older_state_is_well_signed_and_older(lab):
    before, had = date(lab), versions(lab)
    lab.republish_older()
    assert date(lab) < before
    assert versions(lab) == had[:-1]


def test_after_a_move_the_older_state_is_the_one_before(lab):
    before, had = date(lab), versions(lab)
    lab.publish("1.69.03560.1450")
    lab.republish_older()
    assert (date(lab), versions(lab)) == (before, had)


@pytest.mark.parametrize("word", ["1.67.03504.3207", "1.67.03504.1320"])
def test_other_bytes_under_the_same_version(lab, word):
    paths = [
        "/gbl.his.arc.azure.com/azcmagent/1.67/AzureConnectedMachineAgent.msi",
        JAMMY + "/pool/main/a/azcmagent/azcmagent_1.67.03504.1320_amd64.deb",
        NINE + "/Packages/a/azcmagent-1.67.03504-1320.x86_64.rpm",
    ]
    before, had = [get(lab, path) for path in paths], versions(lab)
    lab.replace(word)
    assert all(get(lab, path) != old for path, old in zip(paths, before, strict=True))
    assert versions(lab) == had


def test_an_unknown_build_cannot_be_replaced(lab):
    with pytest.raises(KeyError):
        lab.replace("9.9.9.9")


def test_one_minor_was_built_twice(lab):
    assert len([version for version in versions(lab) if version.startswith("1.66.")]) == 2


def test_after_an_older_state_comes_the_newest_again(lab):
    before, had = date(lab), versions(lab)
    lab.republish_older()
    lab.republish_newest()
    assert (date(lab), versions(lab)) == (before, had)


def test_a_move_ends_an_older_state_and_is_newer_than_all(lab):
    before, had = date(lab), versions(lab)
    lab.republish_older()
    lab.publish("1.69.03560.1450")
    assert date(lab) > before
    assert versions(lab) == [*had, "1.69.03560.1450"]
