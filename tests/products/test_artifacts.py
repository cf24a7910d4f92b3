"""Targets to packages: which repository, which word for the architecture, and who shares one."""

from __future__ import annotations

from pathlib import Path

import pytest

from bundler.formats import json_codec
from bundler.model.artifact import AptOrigin, Artifact, FileOrigin, UrlOrigin, YumOrigin
from bundler.model.target import Target
from bundler.products.arc_server import tables
from bundler.products.arc_server.artifacts import artifacts
from bundler.products.arc_server.definition import Definition

BASE = {
    "name": "arc",
    "tenant": "11111111-1111-4111-8111-111111111111",
    "subscription": "22222222-2222-4222-8222-222222222222",
    "resource_group": "rg",
    "location": "japaneast",
    "authentication": {"method": "device-code"},
}
PMC = "https://packages.microsoft.com"


def found(*targets: str, folder: Path = Path(), **more) -> tuple[Artifact, ...]:
    """Artifacts for targets written ``os/version/architecture@agent``."""
    wanted = []
    for target in targets:
        name, _, agent = target.partition("@")
        os, version, architecture = name.split("/")
        wanted.append({"os": os, "version": version, "architecture": architecture, "agent": agent})
    return artifacts(json_codec.from_tree(Definition, {**BASE, **more, "targets": wanted}), folder)


def test_windows_latest():
    assert found("windows/2022/x64") == (
        Artifact(
            name="AzureConnectedMachineAgent",
            kind="msi",
            place="windows/x64",
            architecture="x64",
            version="latest",
            targets=(Target(os="windows", version="2022"),),
            origin=UrlOrigin(
                url="https://gbl.his.arc.azure.com/azcmagent/latest/AzureConnectedMachineAgent.msi",
                hosts=("gbl.his.arc.azure.com", "download.microsoft.com"),
            ),
        ),
    )


@pytest.mark.parametrize(("wish", "part"), [("latest", "latest"), ("1.67", "1.67"), ("1.67.03504.3207", "1.67")])
def test_an_msi_is_asked_for_by_two_numbers_and_keeps_the_whole_wish(wish, part):
    (msi,) = found("windows//x64", agent={"version": wish})
    assert isinstance(msi.origin, UrlOrigin)
    assert msi.origin.url.split("/")[-2] == part
    assert msi.version == wish


@pytest.mark.parametrize(("cloud", "suffix"), [("AzureUSGovernment", "us"), ("AzureChinaCloud", "cn")])
def test_sovereign_clouds_have_their_own_msi_and_the_same_repositories(cloud, suffix):
    msi, deb = found("windows//x64", "ubuntu/22.04/x64", cloud=cloud)
    assert isinstance(msi.origin, UrlOrigin)
    assert msi.origin.url == f"https://gbl.his.arc.azure.{suffix}/azcmagent/latest/AzureConnectedMachineAgent.msi"
    assert msi.origin.hosts == (f"gbl.his.arc.azure.{suffix}", "download.microsoft.com")
    assert deb.origin.base == f"{PMC}/ubuntu/22.04/prod"


@pytest.mark.parametrize(
    ("target", "place", "base", "suite"),
    [
        ("ubuntu/18.04/x64", "ubuntu/18.04/amd64", "ubuntu/18.04/prod", "bionic"),
        ("ubuntu/20.04/arm64", "ubuntu/20.04/arm64", "ubuntu/20.04/prod", "focal"),
        ("ubuntu/22.04/x64", "ubuntu/22.04/amd64", "ubuntu/22.04/prod", "jammy"),
        ("ubuntu/24.04/arm64", "ubuntu/24.04/arm64", "ubuntu/24.04/prod", "noble"),
        ("ubuntu/26.04/x64", "ubuntu/26.04/amd64", "ubuntu/26.04/prod", "resolute"),
        ("debian/11/x64", "debian/11/amd64", "debian/11/prod", "bullseye"),
        ("debian/12/arm64", "debian/12/arm64", "debian/12/prod", "bookworm"),
        ("debian/13/x64", "debian/13/amd64", "debian/13/prod", "trixie"),
    ],
)
def test_apt(target, place, base, suite):
    (deb,) = found(target)
    assert (deb.kind, deb.name, deb.place, deb.architecture) == ("deb", "azcmagent", place, place.split("/")[-1])
    assert deb.origin == AptOrigin(base=f"{PMC}/{base}", suite=suite, component="main", package="azcmagent")


@pytest.mark.parametrize(
    ("target", "place", "base"),
    [
        ("rhel/7/x64", "rhel/7/x86_64", "rhel/7/prod"),
        ("rhel/9/x64", "rhel/9/x86_64", "rhel/9/prod"),
        ("rhel/10/x64", "rhel/10/x86_64", "rhel/10/prod"),
        ("centos/7/x64", "rhel/7/x86_64", "rhel/7/prod"),
        ("oracle/8/arm64", "rhel/8/aarch64", "rhel/8/prod"),
        ("rocky/9/x64", "rhel/9/x86_64", "rhel/9/prod"),
        ("alma/8/arm64", "rhel/8/aarch64", "rhel/8/prod"),
        ("sles/12/x64", "sles/12/x86_64", "sles/12/prod"),
        ("sles/15.5/arm64", "sles/15/aarch64", "sles/15/prod"),
        ("amazon/2/x64", "amazonlinux/2/x86_64", "amazonlinux/2/prod"),
        ("amazon/2023/arm64", "amazonlinux/2023/aarch64", "amazonlinux/2023/prod"),
    ],
)
def test_yum(target, place, base):
    (rpm,) = found(target)
    assert (rpm.kind, rpm.name, rpm.place, rpm.architecture) == ("rpm", "azcmagent", place, place.split("/")[-1])
    assert rpm.origin == YumOrigin(base=f"{PMC}/{base}", package="azcmagent")


def test_targets_of_one_repository_share_one_artifact():
    rhel, deb = found("rhel/9/x64", "ubuntu/22.04/x64", "rocky/9/x64", "oracle/9/x64", "alma/9/x64")
    assert [str(target) for target in rhel.targets] == ["rhel/9/x64", "rocky/9/x64", "oracle/9/x64", "alma/9/x64"]
    assert rhel.place == "rhel/9/x86_64"
    assert deb.kind == "deb"


def test_another_architecture_is_another_artifact():
    assert [one.place for one in found("alma/8/x64", "alma/8/arm64")] == ["rhel/8/x86_64", "rhel/8/aarch64"]


def test_another_wish_for_the_same_repository_gets_its_own_place():
    one, two = found("sles/15.5/x64", "sles/15.3/x64@1.58")
    assert [(a.place, a.version) for a in (one, two)] == [("sles/15.5/x86_64", "latest"), ("sles/15.3/x86_64", "1.58")]
    one, two = found("windows/2016/x64", "windows/2019/x64@1.60", "windows/2022/x64")
    assert [a.place for a in (one, two)] == ["windows/2016/x64", "windows/2019/x64"]
    assert [t.version for t in one.targets] == ["2016", "2022"]


def test_mirrors_are_plain_prefixes():
    upstream = {
        "windows": "https://mirror.example/agent/",
        "linux": "https://mirror.example/pmc/",
        "repositories": {"rhel/9": "/rhel/9.0/prod/"},
        "hosts": ["cdn.example:8443"],
    }
    msi, deb, rpm = found("windows//x64@1.67", "ubuntu/22.04/x64", "rhel/9/x64", upstream=upstream)
    assert msi.origin == UrlOrigin(
        url="https://mirror.example/agent/1.67/AzureConnectedMachineAgent.msi",
        hosts=("mirror.example", "cdn.example:8443"),
    )
    assert deb.origin.base == "https://mirror.example/pmc/ubuntu/22.04/prod"
    assert rpm.origin.base == "https://mirror.example/pmc/rhel/9.0/prod"
    assert rpm.place == "rhel/9/x86_64"


def test_the_host_of_a_base_keeps_its_port():
    (msi,) = found("windows//x64", upstream={"windows": "https://127.0.0.1:8443/azcmagent"})
    assert msi.origin.hosts == ("127.0.0.1:8443",)


def test_given_packages_start_from_the_definitions_folder():
    packages = [
        {"target": "windows/x64", "path": "in/a.msi"},
        {"target": "rhel/9/x64", "url": "https://x.example/a.rpm"},
    ]
    msi, rpm = found("windows//x64", "rhel/9/x64", folder=Path("site"), upstream={"packages": packages})
    assert msi.origin == FileOrigin(path=str(Path("site") / "in" / "a.msi"))
    assert msi.place == "windows/x64"
    assert rpm.origin == UrlOrigin(url="https://x.example/a.rpm", hosts=("x.example",))


def test_a_given_package_for_one_of_several_lies_beside_the_others():
    packages = [{"target": "rocky/9/x64", "path": "a.rpm"}]
    ours, given = found("rhel/9/x64", "rocky/9/x64", upstream={"packages": packages})
    assert [ours.place, given.place] == ["rhel/9/x86_64", "rocky/9/x86_64"]
    assert isinstance(given.origin, FileOrigin)


def test_azure_linux_has_a_place_for_what_is_given():
    packages = [{"target": "azurelinux/3.0/arm64", "path": "a.rpm"}]
    assert [a.place for a in found("azurelinux/3.0/arm64", upstream={"packages": packages})] == [
        "azurelinux/3.0/aarch64"
    ]


def test_all_systems_at_once_have_places_of_their_own():
    """Every row of the table, on every architecture that it has: no two artifacts share a folder."""
    rows = [(s, a) for s in tables.systems().systems for a in s.architectures]
    packages = [{"target": f"{s.os}/{s.version}/{a}", "path": "x.rpm"} for s, a in rows if s.os == "azurelinux"]
    all_of_them = found(*(f"{s.os}/{s.version}/{a}" for s, a in rows), upstream={"packages": packages})
    places = [artifact.place for artifact in all_of_them]
    assert len(places) == len(set(places))
    assert sum(len(artifact.targets) for artifact in all_of_them) == len(rows)
    old = found(
        *(f"{s.os}/{s.version}/{a}@1.{60 + i % 3}" for i, (s, a) in enumerate(rows)), upstream={"packages": packages}
    )
    assert len({artifact.place for artifact in old}) == len(old)


def test_an_unchecked_definition_is_our_fault():
    with pytest.raises(LookupError):
        found("rhel/6/x64")
