"""The words after `lock --upgrade`: a target, a place, or the beginning of one, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bundler.errors import UsageError
from bundler.flow import lock_keep
from bundler.flow.lock_targets import named
from bundler.model.artifact import Artifact, UrlOrigin
from bundler.model.evidence import PackageFacts
from bundler.model.lock import Pin
from bundler.model.target import Target


def artifact(place: str, *targets: Target) -> Artifact:
    return Artifact(
        name="a",
        kind="deb",
        place=place,
        architecture="x",
        version="latest",
        targets=targets,
        origin=UrlOrigin(url=f"https://x/{place}", hosts=()),
    )


WINDOWS = artifact("windows/x64", Target(os="windows"), Target(os="windows", version="2022"))
UBUNTU = artifact("ubuntu/22.04/amd64", Target(os="ubuntu", version="22.04"))
ARM = artifact("ubuntu/22.04/arm64", Target(os="ubuntu", version="22.04", architecture="arm64"))
SHARED = artifact("rhel/9/x86_64", Target(os="rhel", version="9"), Target(os="rocky", version="9"))
ALL = (WINDOWS, UBUNTU, ARM, SHARED)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ALL),
        (("windows",), (WINDOWS,)),
        (("windows/2022",), (WINDOWS,)),
        (("windows/x64",), (WINDOWS,)),
        (("ubuntu",), (UBUNTU, ARM)),
        (("ubuntu/22.04",), (UBUNTU, ARM)),
        (("ubuntu/22.04/x64",), (UBUNTU,)),
        (("ubuntu/22.04/amd64",), (UBUNTU,)),
        (("UBUNTU/22.04/arm64/",), (ARM,)),
        (("rocky", "windows"), (SHARED, WINDOWS)),
        ((" rhel/9/x64 ",), (SHARED,)),
    ],
)
def test_a_word_names_packages(words: tuple[str, ...], found: tuple[Artifact, ...]) -> None:
    assert named(words, ALL) == frozenset(found)


@pytest.mark.parametrize("word", ["", "/", "u", "ubuntu/22", "22.04", "x64", "debian/12/x64", "windows/x64/more", "*"])
def test_another_word_is_a_usage_error_that_lists_the_targets(word: str) -> None:
    with pytest.raises(UsageError) as raised:
        named(("windows", word), ALL)
    assert raised.value.exit_code == 2
    assert "rocky/9/x64" in " ".join(raised.value.details)


def test_the_nearest_target_is_suggested_and_the_word_not_repeated() -> None:
    with pytest.raises(UsageError, match=r"did you mean 'ubuntu/22\.04/arm64'"):
        named(("ubunto/22.04/arm64",), ALL)
    with pytest.raises(UsageError) as raised:
        named(("~Q8secretvalue",), ALL)
    assert "secretvalue" not in str(raised.value.what) + " ".join(raised.value.details)


@pytest.mark.parametrize(
    ("served", "fits"),
    [
        ((), True),
        (("https://CDN.example.com/agent.msi",), True),
        (("https://aka.ms/next", "https://cdn.Example.com.:443/agent.msi"), True),
        (("https://cdn.example.com:8443/agent.msi",), False),
        (("https://cdn.example.com.other.org/agent.msi",), False),
    ],
)
def test_a_host_is_the_same_in_any_spelling(served: tuple[str, ...], fits: bool) -> None:
    """A server may spell its redirect as it likes: that moves no pin."""
    wanted = replace(WINDOWS, kind="msi", origin=UrlOrigin(url="https://aka.ms/agent", hosts=("Cdn.example.com",)))
    pin = Pin(
        name=wanted.name,
        kind=wanted.kind,
        place=wanted.place,
        targets=wanted.targets,
        filename="agent.msi",
        url="https://aka.ms/agent",
        redirects=served,
        size=1,
        sha256="0" * 64,
        facts=PackageFacts(name="agent", version="1.60", architecture=wanted.architecture),
        evidence=(),
    )
    assert bool(lock_keep.answering([pin], [wanted])[0]) is fits
