"""START-HERE names the switches that this bundle needs, in the words of its platforms."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bundler.model.network_requirement import HostRecord
from tests.support import header_cases as cases
from tests.support import sample_bundles as sample
from tests.support import sealed_bundles as sealed

LINUX, WINDOWS = (sample.DEB,), (sample.MSI,)
RECORDS = (HostRecord(host="gbl.his.arc.azure.com", address="10.0.0.4"),)
PRIVATE = replace(sample.PLAIN, hosts_records=RECORDS, certificates=(cases.certificate(1),))
NAME = re.compile(r"^ {5}(-.*)$", re.MULTILINE)


def names(parameters, pins, sealer=None) -> list[str]:
    recipe = sealed.Recipe(sealer=sealer, parameters=parameters, pins=pins)
    return NAME.findall(sealed.contents(recipe)["START-HERE.txt"].decode().replace("\r\n", "\n"))


@pytest.mark.parametrize(
    ("parameters", "pins", "wanted"),
    [
        (sample.PLAIN, LINUX, []),
        (sample.PLAIN, WINDOWS, []),
        (sample.PLAIN, (sample.RPM,), ["--import-keys"]),
        (PRIVATE, LINUX, ["--write-hosts", "--install-certificates"]),
        (PRIVATE, WINDOWS, ["-WriteHosts", "-InstallCertificates"]),
        (PRIVATE, LINUX + WINDOWS, ["--write-hosts, -WriteHosts", "--install-certificates, -InstallCertificates"]),
        (sample.SECRET, LINUX, ["--secret-file FILE", "--secret-stdin"]),
        (sample.TOKEN, WINDOWS, ["-SecretFile FILE", "-SecretStdin"]),
        (sample.CERTIFICATE, LINUX, []),
    ],
)
def test_the_switches_of_a_bundle(parameters, pins, wanted):
    assert names(parameters, pins) == wanted


def test_an_envelope_is_for_sealed_bundles_that_sign_in_with_a_secret():
    signer = sealed.signer()
    assert names(sample.SECRET, LINUX, signer)[0] == "--envelope FILE"
    assert names(sample.CERTIFICATE, LINUX, signer) == ["--envelope FILE"]
    assert names(sample.PLAIN, LINUX, signer) == []


def test_every_switch_that_is_named_is_one_of_the_script():
    everything = replace(PRIVATE, authentication="service-principal-secret")
    found = names(everything, (sample.DEB, sample.RPM, sample.MSI), sealed.signer())
    contents = sealed.contents(sealed.Recipe(sealer=sealed.signer(), parameters=everything))
    assert len(found) == 6
    for name in (word.split()[0] for line in found for word in line.split(", ")):
        script = contents["install.sh" if name.startswith("--") else "install.ps1"].decode()
        assert re.search(rf"(^|[^\w-]){re.escape(name.lstrip('-') if name[1] != '-' else name)}\b", script), name
