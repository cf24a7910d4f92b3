"""Every refusal says what it usually means, and what to do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bundler.errors import VerificationError
from bundler.model.anchor import Anchors, Publisher
from bundler.trust import anchors as trusted
from bundler.trust.advice import MEANINGS, advising, with_advice
from tests.support import reasons

ROOMS = (
    *("trust", "formats", "integrity", "pack", "flow/verify.py", "flow/verify_file.py", "flow/verify_package.py"),
    *("flow/verify_archive.py", "flow/package_kinds.py", "flow/metadata_files.py", "flow/bundle_payload.py"),
    *("flow/provenance.py", "flow/script_check.py", "flow/script_signing.py", "flow/spool.py", "flow/lock_changes.py"),
)
OWN = Anchors(name="Contoso mirror")


def given() -> reasons.Reasons:
    return reasons.collect(reasons.modules(*ROOMS))


def test_every_reason_in_the_code_has_a_meaning_and_advice():
    missing = {word: place for word, place in given().words.items() if not all(MEANINGS.get(word, ("", "")))}
    assert missing == {}


def test_every_reason_in_the_code_can_be_read():
    assert given().unread == ()


def test_reasons_are_found_wherever_they_are_given():
    found = given().words
    # by name, by position, as a default, by a condition, in a local variable, in a class's field
    assert {"wrong-publisher", "wrong-key", "malformed", "truncated", "timestamp-untrusted", "seal-purpose"} <= set(
        found
    )
    assert len(found) > 80


def test_no_row_is_left_over():
    every = reasons.collect(reasons.modules("")).words
    assert sorted(set(MEANINGS) - set(every)) == []


@pytest.mark.parametrize("anchors", [None, OWN, replace(trusted.microsoft(), lab=True), Anchors(name="LAB", lab=True)])
@pytest.mark.parametrize("reason", MEANINGS)
def test_only_microsofts_anchors_send_a_person_to_microsoft(reason, anchors):
    error = with_advice(VerificationError("it is refused", reason=reason), anchors)
    assert "Microsoft" not in " ".join((*error.details, error.do))
    assert not re.search(r"[{}]", " ".join((*error.details, error.do)))


def test_microsofts_anchors_do():
    error = with_advice(VerificationError("it ends early", reason="truncated"), trusted.microsoft())
    assert error.do == "download it again from Microsoft, and compare the size"


def test_another_publisher_under_microsofts_roots_is_not_microsoft():
    other = replace(trusted.microsoft(), publishers=(Publisher(common_name="Contoso", organization="Contoso"),))
    error = with_advice(VerificationError("it ends early", reason="truncated"), other)
    assert error.do == "download it again from the publisher, and compare the size"


def test_what_the_code_says_itself_is_kept():
    error = VerificationError("it is refused", reason="truncated", details=["promised 5 bytes"], do="try again")
    once = with_advice(error, OWN)
    assert once.details == ("promised 5 bytes", "The download stopped early.")
    assert once.do == "try again"


def test_the_same_error_is_explained_once():
    with pytest.raises(VerificationError) as caught, advising(), advising(trusted.microsoft()):
        raise VerificationError("a page", reason="html")
    assert len(caught.value.details) == 1
    assert "Microsoft" in caught.value.details[0]


def test_other_errors_pass():
    with pytest.raises(KeyError), advising(OWN):
        raise KeyError
