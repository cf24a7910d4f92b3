"""The facts about Azure that its products share, from ``bundler/data/azure``; each table is read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from bundler.formats import json_codec
from bundler.model.frozen import frozen


@frozen
class Cloud:
    """One Azure cloud."""

    name: str
    manager: str
    """Azure Resource Manager: what a token of the managed identity is asked for."""
    suffix: str
    """The last part of its services' names: ``com`` in ``azure.com``."""
    source: str


@frozen
class Clouds:
    """``clouds.json``."""

    source: str
    clouds: tuple[Cloud, ...]

    def of(self, name: str) -> Cloud:
        """The cloud called ``name``; the definition's schema lets no other name pass."""
        return next(cloud for cloud in self.clouds if cloud.name == name)


@frozen
class Region:
    """One region of one cloud."""

    cloud: str
    name: str
    his: str
    """Its code in ``<code>.his.arc.azure.com``; empty where no source gives it."""
    his_source: str
    source: str


@frozen
class Regions:
    """``regions.json``."""

    source: str
    date: str
    """``YYYY-MM-DD``: until then new regions are in the table."""
    note: str
    regions: tuple[Region, ...]

    def names(self, cloud: str) -> list[str]:
        """The regions of ``cloud``."""
        return [region.name for region in self.regions if region.cloud == cloud]

    def cloud_of(self, name: str) -> str:
        """The cloud that has a region called ``name``; empty where none has."""
        return next((region.cloud for region in self.regions if region.name == name), "")

    def find(self, cloud: str, name: str) -> Region | None:
        """The region, where the table has it."""
        return next((region for region in self.regions if (region.cloud, region.name) == (cloud, name)), None)


def _read(name: str) -> bytes:
    return (files("bundler.data.azure") / name).read_bytes()


@cache
def clouds() -> Clouds:
    """The Azure clouds."""
    return json_codec.from_json(Clouds, _read("clouds.json"))


@cache
def regions() -> Regions:
    """The regions and their codes."""
    return json_codec.from_json(Regions, _read("regions.json"))
