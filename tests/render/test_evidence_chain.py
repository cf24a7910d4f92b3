"""A chain is drawn from the pinned root to the file, and only the pinned root looks pinned."""

from __future__ import annotations

from dataclasses import replace

from bundler.render.evidence_chain import evidence_chains
from tests.support import review_sample as sample

RPM, DEB, MSI = sample.PINS


def drawn(pin, at=0):
    return [(node.kind, node.how, node.what) for node in evidence_chains(pin)[at].nodes]


def test_a_certificate_chain_begins_at_its_root_and_ends_in_the_file():
    assert [kind for kind, _, _ in drawn(MSI)] == ["anchor", "certificate", "certificate", "file"]
    assert [how for _, how, _ in drawn(MSI)] == [
        "Root certificate, pinned by the anchors “LAB”",
        "issued",
        "issued",
        "signed, 2026-09-22 17:04:11 UTC",
    ]
    assert drawn(MSI)[0][2].startswith("CN=LAB Code Signing Root")
    assert drawn(MSI)[-1][2] == MSI.filename


def test_the_time_has_a_chain_of_its_own():
    (reason,) = evidence_chains(MSI)
    assert [node.kind for node in reason.time_nodes] == ["anchor", "certificate", "time"]
    assert reason.time_nodes[-1].what == "2026-09-22 17:04:11 UTC"
    assert reason.notes == MSI.evidence[0].notes


def test_a_repository_lists_document_by_document():
    assert [what for _, _, what in drawn(DEB, 1)][1:] == ["InRelease", "Packages.gz", DEB.filename]
    assert [how for _, how, _ in drawn(DEB, 1)][2:] == ["lists its SHA-256"] * 2


def test_a_detached_signature_is_no_link_of_its_own():
    assert [what for _, _, what in drawn(RPM, 1)][1:] == ["repomd.xml", "primary.xml.gz", RPM.filename]
    signed = evidence_chains(RPM)[1].nodes[1]
    assert any(sample.sha256("repomd.xml.asc") in detail for detail in signed.details)


def test_a_root_that_is_not_the_pinned_one_is_not_drawn_as_one():
    other = replace(sample.AUTHENTICODE, anchor=sample.sha256("another root"))
    nodes = evidence_chains(replace(MSI, evidence=(other,)))[0].nodes
    assert "anchor" not in [node.kind for node in nodes]


def test_a_subkey_hangs_on_its_pinned_key():
    sub = replace(DEB.evidence[0], fingerprint="A" * 40)
    first, second, *_ = evidence_chains(replace(DEB, evidence=(sub,)))[0].nodes
    assert (first.kind, second.kind) == ("anchor", "key")
    assert sample.KEY in first.details[0]
    assert "A" * 40 in second.details[0]


def test_every_link_has_its_digest():
    for pin in sample.PINS:
        for reason in evidence_chains(pin):
            for node in reason.nodes:
                assert any("SHA-256" in one or "fingerprint" in one for one in node.details), node
