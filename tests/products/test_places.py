"""A pin keeps to the places that the product's tables have for its targets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from bundler.model.evidence import PackageFacts
from bundler.model.lock import Pin, RepositoryState
from bundler.model.target import Target
from bundler.products.arc_server import layout, tables

NOBLE = RepositoryState(
    origin="https://mirror.example/any/folder noble", date=datetime(2026, 1, 1, tzinfo=timezone.utc)
)
PIN = Pin(
    name="azcmagent",
    kind="deb",
    place="ubuntu/24.04/arm64",
    targets=(Target(os="ubuntu", version="24.04", architecture="arm64"),),
    filename="a.deb",
    url="https://mirror.example/a.deb",
    size=1,
    sha256="0" * 64,
    facts=PackageFacts(name="azcmagent", version="1.2", architecture="arm64"),
    evidence=(),
    repository=NOBLE,
)


def test_a_pin_fits_its_own_place_from_any_mirror_or_from_a_file() -> None:
    assert layout.misfit(PIN) == ""
    assert layout.misfit(replace(PIN, repository=None)) == ""


def test_targets_share_a_place_or_have_their_own() -> None:
    targets = (Target(os="rocky", version="9"), Target(os="rhel", version="9"))
    facts = replace(PIN.facts, architecture="x86_64")
    shared = replace(PIN, kind="rpm", targets=targets, facts=facts, repository=None, place="rhel/9/x86_64")
    assert layout.misfit(shared) == ""
    assert layout.misfit(replace(shared, place="rocky/9/x86_64")) == ""
    assert "rhel/8/x86_64" in layout.misfit(replace(shared, place="rhel/8/x86_64"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"place": "ubuntu/22.04/arm64"}, "belongs to ubuntu/22.04/arm64"),
        ({"place": "ubuntu/24.04/amd64"}, "belongs to ubuntu/24.04/amd64"),
        ({"targets": (Target(os="ubuntu", version="24.04"),)}, "does not support a deb for arm64"),
        ({"targets": (Target(os="windows", architecture="arm64"),)}, "does not support a deb"),
        ({"targets": (Target(os="ubuntu", version="22.04", architecture="arm64"),)}, "needs the suite jammy"),
        ({"targets": (Target(os="ubuntu", version="1"),)}, "not known to this release"),
        ({"targets": ()}, "no package of its targets"),
    ],
)
def test_a_pin_for_other_servers_is_seen(changes: dict[str, object], said: str) -> None:
    assert said in layout.misfit(replace(PIN, **changes))  # type: ignore[arg-type]


def test_every_supported_architecture_has_a_word() -> None:
    for system in tables.systems().systems:
        assert all(layout.word(system, architecture) for architecture in system.architectures)
