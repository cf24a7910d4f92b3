"""A package at one address: its location and its file name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.errors import UpstreamError
from bundler.model.artifact import Artifact, Origin, UrlOrigin
from bundler.sources.location import locate_url


def artifact(origin: Origin) -> Artifact:
    return Artifact(
        name="AzureConnectedMachineAgent",
        kind="msi",
        place="windows/x64",
        architecture="x64",
        version="latest",
        targets=(),
        origin=origin,
    )


def at(address: str) -> Artifact:
    return artifact(UrlOrigin(url=address, hosts=("download.example",)))


def test_it_is_located_at_its_address() -> None:
    found = locate_url(at("https://h.example/azcmagent/1.67/Agent.msi"))
    assert found.url == "https://h.example/azcmagent/1.67/Agent.msi"
    assert found.hosts == ("download.example",)
    assert found.filename == "Agent.msi"


def test_nothing_is_known_of_it_before_it_is_read() -> None:
    found = locate_url(at("https://h.example/azcmagent/1.67/Agent.msi"))
    assert (found.version, found.size, found.sha256, found.evidence) == (None, None, None, None)


@pytest.mark.parametrize(
    "last", ["", "AzureConnectedMachineAgent", "a%2Fb.msi", "..", "Agent%20(1).msi", "con.msi", "%00.msi", "Agent.exe"]
)
def test_a_name_that_not_every_file_system_takes_is_replaced(last: str) -> None:
    assert locate_url(at(f"https://h.example/{last}")).filename == "AzureConnectedMachineAgent.msi"


@given(st.text(max_size=150))
def test_any_address_ends_in_a_harmless_name(last: str) -> None:
    try:
        name = locate_url(at(f"https://h.example/{last}")).filename
    except UpstreamError:
        return
    assert name.endswith(".msi")
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| ')
    assert len(name) <= 100


@pytest.mark.parametrize("address", ["http://h.example/a.msi", "file:///a.msi", "ftp://h/a.msi", ""])
def test_only_https(address: str) -> None:
    with pytest.raises(UpstreamError):
        locate_url(at(address))
