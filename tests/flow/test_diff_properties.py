"""A diff invents nothing, hides nothing, and is mirrored when the sides are exchanged."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bundler.flow.diff.compare import compare
from bundler.flow.diff.description import of_lock, of_manifest
from bundler.formats import json_codec
from bundler.model.diff import TOPICS, Diff
from bundler.model.lock import Lock
from bundler.model.manifest import Manifest
from bundler.model.script_action import ScriptActions
from tests.support.described import LOCK, MANIFEST, another, at, changed, values
from tests.support.mirrored import mirrored

BRISK = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
MANIFESTS = values(Manifest)
LOCKS = values(Lock)


def full(sample):
    """The fields below ``sample`` that hold something: their types, and the way to replace them."""
    fields = changed(sample, type(sample))
    return {path: (kind, build) for path, kind, build in fields if at(sample, path) not in (None, "", ())}


def told(was, now) -> Diff:
    describe = {Manifest: of_manifest, Lock: of_lock}
    return compare(describe[type(was)](was), describe[type(now)](now))


def speaks(diff: Diff) -> bool:
    """Whether the diff reports more than that the documents have other bytes."""
    return any(change.field != "form" for change in diff.changes)


def test_the_sample_has_something_in_every_field():
    """So that none is left out of what follows."""
    filled = {path.split(".")[-1] for path in full(MANIFEST)}
    for path in ("pins.1", "pins.1.facts", "pins.1.repository", "pins.0.evidence.0", "pins.1.evidence.1.documents.0"):
        assert {field.name for field in dataclasses.fields(at(MANIFEST, path))} <= filled
    for path in (
        "pins.0.evidence.0.chain.0",
        "seal",
        "seal.signer",
        "approval",
        "files.0",
        "network_requirements.0",
        "support.0",
        "runtimes.0",
        "signature_forms.0",
        "signature_forms.0.forms.0",
    ):
        assert {field.name for field in dataclasses.fields(at(MANIFEST, path))} <= filled
    assert {field.name for field in dataclasses.fields(Manifest)} <= set(full(MANIFEST))
    assert {field.name for field in dataclasses.fields(Lock)} <= set(full(LOCK))


@pytest.mark.parametrize("sample", [MANIFEST, LOCK], ids=["manifest", "lock"])
def test_no_field_changes_in_silence(sample):
    silent = []
    for path, (kind, build) in full(sample).items():
        now = build(another(kind, at(sample, path)))
        found = told(sample, now)
        if now == sample or not speaks(found) or mirrored(found) != told(now, sample):
            silent.append(path)
    assert silent == []


@BRISK
@given(st.data())
def test_one_field_of_any_manifest_does_not_change_in_silence(data):
    was = data.draw(MANIFESTS)
    _, kind, build = data.draw(st.sampled_from(list(changed(was, Manifest))))
    now = build(data.draw(values(kind)))
    assert speaks(told(was, now)) == (was != now)


def test_a_script_that_does_nothing_does_not_go_in_silence():
    idle = ScriptActions(platform="linux", script="idle.sh", steps=())
    was = dataclasses.replace(MANIFEST, script_actions=(idle, *MANIFEST.script_actions))
    assert speaks(told(was, MANIFEST))


@BRISK
@given(MANIFESTS | LOCKS)
def test_nothing_differs_from_itself(one):
    found = told(one, one)
    assert not found.different
    assert found.changes == ()


@BRISK
@given(MANIFESTS | LOCKS, MANIFESTS | LOCKS)
def test_from_the_other_side_it_is_the_mirror(was, now):
    assert mirrored(told(was, now)) == told(now, was)


@BRISK
@given(MANIFESTS, MANIFESTS)
def test_looking_twice_into_the_mirror_changes_nothing(was, now):
    found = told(was, now)
    assert mirrored(mirrored(found)) == found


@BRISK
@given(MANIFESTS, MANIFESTS)
def test_the_order_is_by_topic_and_always_the_same(was, now):
    found = told(was, now)
    places = [TOPICS.index(change.topic) for change in found.changes]
    assert places == sorted(places)
    shuffled = dataclasses.replace(was, parameters=dict(reversed(was.parameters.items())))
    changes = (change for change in told(shuffled, now).changes if change.field != "form")
    assert tuple(changes) == tuple(change for change in found.changes if change.field != "form")


@BRISK
@given(MANIFESTS, MANIFESTS)
def test_a_difference_is_a_document_that_can_be_read_again(was, now):
    found = told(was, now)
    assert json_codec.from_json(Diff, json_codec.to_json(found)) == found


@BRISK
@given(LOCKS)
def test_a_manifest_and_its_lock_do_not_differ(lock):
    manifest = dataclasses.replace(
        MANIFEST,
        name=lock.name,
        version=lock.version,
        created=lock.created,
        anchors=lock.anchors,
        anchors_sha256=lock.anchors_sha256,
        lock_sha256=of_lock(lock).side.digest,
        pins=lock.pins,
    )
    assert not told(lock, manifest).different
    assert told(lock, dataclasses.replace(manifest, lock_sha256="0" * 64)).different
