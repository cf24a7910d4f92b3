"""What the lab makes is verified by its own anchors, and by no others."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone

import pytest
import requests

from bundler.errors import VerificationError
from bundler.formats import deb as deb_format
from bundler.formats import rpm as rpm_format
from bundler.lab import upstream
from bundler.trust import anchors as real
from bundler.trust import authenticode, debsigs, rpm_signature
from bundler.trust.apt_chain import AptChain
from bundler.trust.yum_chain import YumChain

APT = [distribution for distribution in upstream.DISTRIBUTIONS if distribution.codename]
YUM = [distribution for distribution in upstream.DISTRIBUTIONS if not distribution.codename]


def path_of(distribution):
    return distribution.path


@pytest.fixture
def at():
    return datetime.now(timezone.utc)


def get(lab, path):
    answer = requests.get(lab.packages_url + path, verify=lab.ca_file, timeout=30)
    answer.raise_for_status()
    return answer.content


def msi(lab):
    latest = f"{lab.windows_url}/azcmagent/latest/{upstream.MSI_NAME}"
    return io.BytesIO(requests.get(latest, verify=lab.ca_file, timeout=30).content)


@pytest.mark.parametrize("distribution", APT, ids=path_of)
def test_every_apt_repository_from_its_signature_to_the_debs(shared_lab, at, distribution):
    base = f"/{distribution.path}/prod"
    for architecture in distribution.architectures:
        chain = AptChain(shared_lab.anchors, suite=distribution.codename, component="main", architecture=architecture)
        chain.release(get(shared_lab, f"{base}/dists/{distribution.codename}/InRelease"), at)
        index = chain.indexes()[0].path
        chain.index(index, get(shared_lab, f"{base}/dists/{distribution.codename}/{index}"))
        packages = chain.packages("azcmagent")
        wanted = [r for r in shared_lab.releases if tuple(map(int, r.minor.split("."))) >= distribution.first]
        assert [package.version for package in packages] == [release.deb for release in wanted]
        package = packages[-1]
        content = get(shared_lab, f"{base}/{package.path}")
        assert len(content) == package.size
        verdict = debsigs.verify(io.BytesIO(content), anchors=shared_lab.anchors, at=at)
        assert verdict.anchors == "LAB"
        assert "LAB" in verdict.signer
        assert ("2025" in verdict.signer) == distribution.modern
        assert verdict.signed_at < at
        facts = deb_format.facts(io.BytesIO(content))
        assert (facts.name, facts.version, facts.architecture) == ("azcmagent", wanted[-1].deb, architecture)


@pytest.mark.parametrize("distribution", YUM, ids=path_of)
def test_every_yum_repository_from_its_signature_to_the_rpms(shared_lab, at, distribution):
    base = f"/{distribution.path}/prod"
    chain = YumChain(shared_lab.anchors)
    repomd = chain.repomd(
        get(shared_lab, f"{base}/repodata/repomd.xml"), get(shared_lab, f"{base}/repodata/repomd.xml.asc"), at
    )
    chain.primary(get(shared_lab, f"{base}/{repomd.primary.path}"))
    for architecture in distribution.architectures:
        packages = chain.packages("azcmagent", architecture)
        content = get(shared_lab, f"{base}/{packages[-1].path}")
        verdict = rpm_signature.verify(io.BytesIO(content), anchors=shared_lab.anchors, at=at)
        assert verdict.anchors == "LAB"
        assert ("2025" in verdict.signer) == distribution.modern
        facts = rpm_format.facts(io.BytesIO(content))
        expected = "-".join(shared_lab.releases[-1].rpm.rsplit(".", 1))
        assert (facts.name, facts.version, facts.architecture) == ("azcmagent", expected, architecture)
        assert "LAB" in facts.supplier


def test_the_msi_verifies_at_the_time_it_was_built(shared_lab, at):
    verdict = authenticode.verify(msi(shared_lab), "msi", anchors=shared_lab.anchors, at=at)
    assert "LAB Azure Connected Machine Agent" in verdict.signer
    assert verdict.signed_at < at - timedelta(days=1)
    assert "LAB Time Stamp Service" in verdict.timestamped_by
    assert all("LAB" in link.subject for link in (*verdict.chain, *verdict.timestamp_chain))


def test_microsofts_anchors_verify_none_of_it(shared_lab, at):
    microsoft = real.microsoft()
    deb = get(shared_lab, "/ubuntu/22.04/prod/pool/main/a/azcmagent/azcmagent_1.68.03532.1399_amd64.deb")
    rpm = get(shared_lab, "/rhel/9/prod/Packages/a/azcmagent-1.68.03532-1399.x86_64.rpm")
    with pytest.raises(VerificationError):
        debsigs.verify(io.BytesIO(deb), anchors=microsoft, at=at)
    with pytest.raises(VerificationError):
        rpm_signature.verify(io.BytesIO(rpm), anchors=microsoft, at=at)
    with pytest.raises(VerificationError):
        authenticode.verify(msi(shared_lab), "msi", anchors=microsoft, at=at)


def test_the_labs_anchors_verify_nothing_of_microsofts(shared_lab, corpus, at):
    anchors = shared_lab.anchors
    with (corpus / "authenticode" / "good-microsoft-2023.msi").open("rb") as file, pytest.raises(VerificationError):
        authenticode.verify(file, "msi", anchors=anchors, at=at)
    with (corpus / "deb" / "good-packages-microsoft-prod.deb").open("rb") as file, pytest.raises(VerificationError):
        debsigs.verify(file, anchors=anchors, at=at)


@pytest.mark.parametrize("key", ["microsoft.asc", "microsoft-2025.asc"])
def test_the_keys_that_are_served_are_the_anchors(shared_lab, key):
    served = get(shared_lab, f"/keys/{key}").decode()
    assert served in [each.armored for each in shared_lab.anchors.package_keys]
    assert served in get(shared_lab, "/keys/microsoft-rolling.asc").decode()
