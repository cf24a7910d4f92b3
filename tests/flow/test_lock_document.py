"""The two schemas of a lock: what 0.3.0 wrote keeps its bytes, and a lock tells which fields changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings

from bundler.definition import common
from bundler.errors import LockError
from bundler.flow import lock_changes, lock_document, lock_file, project
from bundler.formats import json_codec
from bundler.model.frozen import frozen
from bundler.model.lock import LOCK_SCHEMA, LOCK_SCHEMA_1, Lock, Pin
from bundler.products import definition_file
from tests.support.described import LOCK, values

KEPT = Path(__file__).resolve().parents[1] / "kept"
RELEASES = sorted(path.name for path in KEPT.iterdir())
DEFINITION = """
name: arc-test
tenant: 11111111-1111-4111-8111-111111111111
subscription: 22222222-2222-4222-8222-222222222222
resource_group: servers
location: japaneast
authentication: {method: device-code}
targets: [{os: windows}]
"""


def read(folder: Path, document: bytes) -> Lock | None:
    path = folder / "bundle.lock"
    path.write_bytes(document)
    return lock_file.read(path)


def former(lock: Lock) -> Lock:
    """The lock as 0.3.0 had it."""
    return replace(lock, schema=LOCK_SCHEMA_1, fields={}, pins=tuple(replace(pin, asked=None) for pin in lock.pins))


@pytest.mark.parametrize("release", RELEASES)
def test_a_kept_lock_has_the_bytes_that_its_release_wrote_and_is_not_stale(release: str) -> None:
    folder = KEPT / release
    lock = lock_file.read(folder / "bundle.lock")
    assert lock is not None
    assert lock_document.to_bytes(lock) == (folder / "bundle.lock").read_bytes()
    found = project.read(
        folder / "bundle.yaml", anchors_file=[folder / "anchors.json"], today=date(2026, 11, 30), strict=False
    )
    assert lock_changes.definition_changes(lock, found) == []
    assert {pin.asked for pin in lock.pins} == ({None} if lock.schema == LOCK_SCHEMA_1 else {lock.created})


def test_the_sample_in_both_schemas(tmp_path: Path) -> None:
    assert read(tmp_path, lock_document.to_bytes(LOCK)) == LOCK
    first = former(LOCK)
    document = lock_document.to_bytes(first)
    assert b"asked" not in document
    assert b"fields" not in document
    assert read(tmp_path, document) == first
    tree = json.loads(document)
    assert set(json.loads(lock_document.to_bytes(LOCK))) - set(tree) == {"fields"}


@given(values(Pin))
@settings(max_examples=60, deadline=None)
def test_any_pin_keeps_its_value_in_both_schemas(pin: Pin) -> None:
    for lock in (replace(LOCK, pins=(pin,)), former(replace(LOCK, pins=(pin,)))):
        document = lock_document.to_bytes(lock)
        assert json_codec.from_json(Lock, document) == lock
        assert lock_document.to_bytes(json_codec.from_json(Lock, document)) == document


@pytest.mark.parametrize(
    "lock",
    [
        replace(LOCK, schema="arc-bundler/lock/3"),
        replace(LOCK, schema=LOCK_SCHEMA_1),
        replace(former(LOCK), pins=LOCK.pins),
        replace(former(LOCK), fields=LOCK.fields),
        replace(LOCK, fields={"tags": "0" * 63}),
    ],
)
def test_a_mixture_of_the_two_is_refused(tmp_path: Path, lock: Lock) -> None:
    with pytest.raises(LockError, match=r"is damaged|newer arc-bundler"):
        read(tmp_path, json_codec.to_json(lock))


def test_a_damaged_schema_1_is_not_called_old(tmp_path: Path) -> None:
    tree = json.loads(lock_document.to_bytes(former(LOCK)))
    for changes in ({"extra": 1}, {"created": "no time"}, {"pins": None}):
        with pytest.raises(LockError, match="is damaged"):
            read(tmp_path, json.dumps(tree | changes).encode())
    renamed = {("taken" if key == "created" else key): value for key, value in tree.items()}
    with pytest.raises(LockError, match=r"before 0\.2\.0"):
        read(tmp_path, json.dumps(renamed).encode())
    with pytest.raises(LockError, match="is damaged"):
        read(tmp_path, json.dumps(renamed | {"schema": LOCK_SCHEMA}).encode())


@pytest.mark.parametrize("address", ["https://[", "https://a:b/", "https://a:99999/"])
def test_an_address_that_cannot_be_taken_apart_is_damage(tmp_path: Path, address: str) -> None:
    pin = LOCK.pins[0]
    for changed in (replace(pin, url=address), replace(pin, redirects=(address,))):
        with pytest.raises(LockError, match=f"is damaged: pins.{pin.place}"):
            read(tmp_path, json_codec.to_json(replace(LOCK, pins=(changed,))))


def fields(more: str = "", *, without: str = "") -> dict[str, str]:
    text = "".join(line for line in DEFINITION.splitlines(True) if not (without and line.startswith(without)))
    loaded = definition_file.load(Path("bundle.yaml"), f"{text}{more}".encode(), today=date(2026, 11, 30), strict=False)
    return dict(common.field_digests(loaded.definition))


def test_a_field_at_its_default_is_no_field() -> None:
    assert set(fields()) == {
        *("name", "tenant", "subscription", "resource_group", "location", "authentication.method", "targets")
    }
    assert fields("agent: {version: latest, mode: full}\nresource_name: ''\ntags: {}\n") == fields()


@pytest.mark.parametrize(
    ("more", "changed"),
    [
        ("tags: {Owner: a}\n", ("tags.Owner",)),
        ("tags: {Owner: a, 'a.b': c}\n", ("tags.Owner", "tags.a.b")),
        ("agent: {mode: monitor, extensions: {enabled: false}}\n", ("agent.extensions.enabled", "agent.mode")),
        ("network: {proxy: {url: 'http://p:1', bypass: [ARM]}}\n", ("network.proxy.bypass", "network.proxy.url")),
        ("outputs: [{format: 7z, encrypted: true}]\n", ("outputs",)),
        ("seal: {valid_days: 30}\n", ("seal.valid_days",)),
        ("upstream: {repositories: {rhel/9: rhel/9.0/prod}}\n", ("upstream.repositories.rhel/9",)),
    ],
)
def test_the_changed_fields_are_named(more: str, changed: tuple[str, ...]) -> None:
    assert common.changed_fields(fields(), fields(more)) == changed
    assert common.changed_fields(fields(more), fields()) == changed
    assert common.changed_fields(fields(more), fields(more)) == ()


def test_no_value_is_in_a_lock() -> None:
    found = json.dumps(fields("tags: {Owner: hunter2-value}\n"))
    assert "hunter2" not in found
    assert "japaneast" not in found
    assert fields("tags: {Owner: a}\n")["tags.Owner"] != fields("tags: {Owner: b}\n")["tags.Owner"]


@frozen
class Part:
    inner: str = ""


@frozen
class Whole:
    part: Part | None = None
    names: Mapping[str, str] = field(default_factory=lambda: {"a": "b"})


def test_a_part_with_nothing_in_it_is_a_change() -> None:
    plain = common.field_digests(Whole())  # type: ignore[arg-type]  # any frozen class is read alike
    assert not plain
    for changed, name in ((Whole(part=Part()), "part"), (Whole(names={}), "names")):
        assert common.changed_fields(plain, common.field_digests(changed)) == (name,)  # type: ignore[arg-type]
