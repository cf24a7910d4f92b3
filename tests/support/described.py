"""Manifests and locks to compare: a full one, random ones, and every way to change one field of them."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from bundler.model.evidence import ChainLink, Document, Evidence, PackageFacts
from bundler.model.lock import Lock, Pin, RepositoryState
from bundler.model.manifest import FileEntry, Manifest
from bundler.model.network_requirement import NetworkRequirement
from bundler.model.script_action import Action, ScriptActions, Step
from bundler.model.script_runtime import ScriptRuntime
from bundler.model.seal import Approval, Form, Seal, SignatureForms, Signer
from bundler.model.target import Support, Target

TIME = datetime(2026, 11, 22, 5, 0, tzinfo=timezone.utc)
LATER = TIME + timedelta(days=300)


def hexed(digit: str) -> str:
    return digit * 64


ROOT = ChainLink(subject="CN=Root", issuer="CN=Root", sha256=hexed("a"), not_before=TIME, not_after=LATER)
LEAF = ChainLink(subject="CN=Publisher", issuer="CN=Root", sha256=hexed("b"), not_before=TIME, not_after=LATER)
CLOCK = ChainLink(subject="CN=Clock", issuer="CN=Root", sha256=hexed("c"), not_before=TIME, not_after=LATER)

AUTHENTICODE = Evidence(
    method="authenticode",
    signer="CN=Publisher",
    fingerprint=LEAF.sha256,
    anchors="Microsoft",
    anchor=ROOT.sha256,
    signed_at=TIME,
    timestamped_by="CN=Clock",
    chain=(LEAF, ROOT),
    timestamp_chain=(CLOCK, ROOT),
    notes=("a note",),
)
REPOSITORY = Evidence(
    method="apt-repository",
    signer="Publisher <p@example>",
    fingerprint="A" * 40,
    anchors="Microsoft",
    anchor="A" * 40,
    documents=(
        Document(role="InRelease", url="https://packages.example/InRelease", sha256=hexed("1"), size=10),
        Document(role="Packages.gz", url="https://packages.example/Packages.gz", sha256=hexed("2"), size=20),
    ),
)
WINDOWS = Pin(
    name="AzureConnectedMachineAgent",
    kind="msi",
    place="windows/x64",
    targets=(Target(os="windows"),),
    filename="agent.msi",
    url="https://packages.example/agent",
    redirects=("https://packages.example/agent.msi",),
    size=1000,
    sha256=hexed("3"),
    facts=PackageFacts(
        name="Agent",
        version="1.67.1.2",
        architecture="x64",
        depends=("x",),
        installed_size=5,
        license="proprietary",
        supplier="Publisher",
    ),
    evidence=(AUTHENTICODE,),
    asked=TIME,
)
LINUX = dataclasses.replace(
    WINDOWS,
    kind="deb",
    place="ubuntu/22.04/amd64",
    targets=(Target(os="ubuntu", version="22.04"), Target(os="debian", version="12")),
    filename="agent.deb",
    evidence=(dataclasses.replace(REPOSITORY, method="debsigs", documents=()), REPOSITORY),
    repository=RepositoryState(origin="https://packages.example", date=TIME),
)
SEALER = Signer(name="CN=Sealer", sha256=hexed("4"), not_before=TIME, not_after=LATER, algorithm="rsa-sha256")
AIKO = dataclasses.replace(SEALER, name="Aiko", sha256=hexed("5"))
BEN = dataclasses.replace(SEALER, name="Ben", sha256=hexed("6"))

MANIFEST = Manifest(
    name="arc-tokyo",
    version="2026.11.22",
    product="arc-server",
    created=TIME,
    tool="arc-bundler 1",
    lab=True,
    serial=20261122050000,
    not_after=LATER,
    seal=Seal(signer=SEALER, issuers=(hexed("b"),), openpgp="B" * 40),
    scripts_signed_by=dataclasses.replace(SEALER, name="CN=Scripts", sha256=hexed("a")),
    approval=Approval(required=2, approvers=(AIKO, BEN)),
    targets=(Target(os="windows"), Target(os="ubuntu", version="22.04")),
    parameters={"location": "japaneast", "tags.owner": "it's 東京"},
    anchors="Microsoft",
    anchors_sha256=hexed("7"),
    lock_sha256=hexed("8"),
    weakened=("--insecure-x",),
    unusual=("carries a root",),
    warnings=("targets.0.agent: agent 1.23 is older than 12 months",),
    script_actions=(
        ScriptActions(
            platform="linux",
            script="install.sh",
            steps=(
                Step(name="verify", actions=(Action(text="compares {}", values=("x",), only_with="--y"),)),
                Step(name="connect", actions=(Action(text="speaks"),)),
            ),
        ),
    ),
    network_requirements=(
        NetworkRequirement(
            host="*.his.arc.azure.com",
            names=("jpe.his.arc.azure.com",),
            port=443,
            origin="server",
            way="proxy",
            phase="always",
            feature="core",
            required=True,
            tag="AzureTag",
            why="to be told",
            source="a document",
            note="a note",
        ),
    ),
    support=(Support(version="1.67", until=date(2027, 11, 1), source="a document"),),
    runtimes=(
        ScriptRuntime(product="arc-server", platform="windows", script="install.ps1", digest=hexed("e")),
        ScriptRuntime(product="arc-server", platform="linux", script="install.sh", digest=hexed("f")),
    ),
    header_templates=hexed("d"),
    signature_forms=(
        SignatureForms(sha256=hexed("4"), forms=(Form(size=1200, prefix_size=944, prefix_sha256=hexed("c")),)),
        SignatureForms(sha256=hexed("5"), forms=(Form(size=1000, prefix_size=744, prefix_sha256=hexed("b")),)),
    ),
    pins=(WINDOWS, LINUX),
    files=(
        FileEntry(path="install.sh", size=10, sha256=hexed("9"), mode="0755"),
        FileEntry(path="payload/windows/x64/agent.msi", size=1000, sha256=hexed("3"), mode="0644"),
    ),
)
LOCK = Lock(
    name="arc-tokyo",
    version="2026.11.22",
    created=TIME,
    definition=hexed("0"),
    fields={"tags.owner": hexed("c"), "targets": hexed("d")},
    anchors="Microsoft",
    anchors_sha256=hexed("7"),
    pins=(WINDOWS, LINUX),
)

# Few letters, so that names clash; and what no terminal should get.
TEXT = st.text(alphabet="ab#2 \x1b\u202e\n|", max_size=3)
TIMES = st.sampled_from([TIME, LATER, TIME + timedelta(microseconds=1), datetime(1, 1, 1, tzinfo=timezone.utc)])


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that the model uses, small."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind is str:
        return TEXT
    if kind is int:
        return st.integers(0, 3)
    if kind is bool:
        return st.booleans()
    if kind is datetime:
        return TIMES
    if kind is date:
        return st.sampled_from([TIME.date(), LATER.date()])
    if origin is tuple:
        return st.lists(values(inside[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(TEXT, TEXT, max_size=2)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(st.none() if one is type(None) else values(one) for one in inside))
    if origin is typing.Literal:
        return st.sampled_from(inside)
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in dataclasses.fields(kind)})


def changed(found: Any, kind: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every field below ``found``: its dotted path, its type, and the way to build ``found`` anew with it replaced.

    The third is a function of the new value.
    """
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(found):
        here = getattr(found, field.name)

        def rebuilt(value: Any, name: str = field.name) -> Any:
            return dataclasses.replace(found, **{name: value})

        yield field.name, hints[field.name], rebuilt
        for path, inner, build in _below(here):
            yield f"{field.name}.{path}", inner, lambda value, build=build, rebuilt=rebuilt: rebuilt(build(value))


def _below(here: Any) -> Iterator[tuple[str, Any, Any]]:
    if dataclasses.is_dataclass(here):
        yield from changed(here, type(here))
    if isinstance(here, tuple):
        for place, item in enumerate(here):
            for path, inner, build in _below(item):
                yield (
                    f"{place}.{path}",
                    inner,
                    lambda value, build=build, place=place: (*here[:place], build(value), *here[place + 1 :]),
                )


def another(kind: Any, here: Any) -> Any:
    """One value of ``kind`` that is not ``here``, without chance."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return None if here is not None else another(inside[0], here)
    if origin is typing.Literal:
        return next(one for one in inside if one != here)
    if origin is tuple:
        return here[:-1]
    if origin is Mapping:
        return {**here, "more": "x"}
    if isinstance(here, bool):
        return not here
    if isinstance(here, datetime):
        return here + timedelta(microseconds=1)
    if isinstance(here, (str, int)):
        return here + type(here)(1)
    return dataclasses.replace(here, **_first_change(here))


def _first_change(here: Any) -> dict[str, Any]:
    field = dataclasses.fields(here)[0]
    return {field.name: another(typing.get_type_hints(type(here))[field.name], getattr(here, field.name))}


def at(found: Any, path: str) -> Any:
    """What is at a dotted path below ``found``."""
    for part in path.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    return found
