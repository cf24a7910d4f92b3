"""RFC 5280, rule by rule: a path that breaks one is refused with its reason."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from bundler.errors import VerificationError
from bundler.lab.authority import Chain
from bundler.trust import certificate_path
from bundler.trust.certificate_path import Authority
from tests.support.authenticode_material import (
    CODE_SIGNING,
    DAY,
    NOW,
    SERVER_AUTH,
    TIME_STAMPING,
    Description,
    authority,
    chain,
    issue,
)

UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
LIMITS = x509.NameConstraints([x509.DirectoryName(x509.Name([]))], None)


def made(leaf: dict | None = None, middle: dict | None = None, root: dict | None = None) -> Chain:
    return chain(
        Description(**(leaf or {})),
        authority("LAB middle", 1, **(middle or {})),
        authority("LAB top", 2, **(root or {})),
    )


def find(links: Chain, *, roots=None, at=NOW, purpose=CODE_SIGNING, pool=None):
    pool = [identity.certificate for identity in links.intermediates] if pool is None else pool
    trusted = tuple(identity.certificate for identity in (roots or [links.root]))
    return certificate_path.find(links.leaf.certificate, pool, Authority(trusted, purpose), at)


def reason(links: Chain, **how) -> str:
    with pytest.raises(VerificationError) as caught:
        find(links, **how)
    return caught.value.reason


def test_a_good_path_goes_from_the_leaf_to_the_root():
    links = made()
    path = find(links)
    assert path == (links.leaf.certificate, links.intermediates[0].certificate, links.root.certificate)


def test_the_pool_may_hold_others_in_any_order():
    links, other = made(), made()
    pool = [other.leaf.certificate, other.intermediates[0].certificate, links.leaf.certificate]
    pool += [links.root.certificate, links.intermediates[0].certificate]
    assert len(find(links, pool=pool)) == 3


def test_of_two_paths_the_good_one_is_found():
    links = made(middle={"until": NOW - DAY})
    renewed = issue(authority("LAB middle", 1), links.root)
    pool = [links.intermediates[0].certificate, renewed.certificate]
    assert find(links, pool=pool)[1] == renewed.certificate


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"leaf": {"until": NOW - DAY}}, "certificate-expired"),
        ({"leaf": {"since": NOW + DAY}}, "certificate-not-yet-valid"),
        ({"middle": {"until": NOW - DAY}}, "certificate-expired"),
        ({"root": {"until": NOW - DAY}}, "certificate-expired"),
        ({"middle": {"ca": False}}, "bad-certificate"),
        ({"root": {"ca": False}}, "bad-certificate"),
        ({"middle": {"key_usage": ("digital_signature", "crl_sign")}}, "bad-certificate"),
        ({"root": {"path_length": 0}}, "bad-certificate"),
        ({"leaf": {"ca": True}}, "bad-certificate"),
        ({"leaf": {"key_usage": ("key_encipherment",)}}, "wrong-purpose"),
        ({"leaf": {"purposes": None}}, "wrong-purpose"),
        ({"leaf": {"purposes": (SERVER_AUTH, TIME_STAMPING)}}, "wrong-purpose"),
        ({"middle": {"purposes": (TIME_STAMPING,)}}, "wrong-purpose"),
        ({"leaf": {"extra": ((UNKNOWN, True),)}}, "bad-certificate"),
        ({"middle": {"extra": ((UNKNOWN, True),)}}, "bad-certificate"),
        ({"middle": {"extra": ((LIMITS, True),)}}, "bad-certificate"),
        ({"middle": {"extra": ((x509.InhibitAnyPolicy(0), True),)}}, "bad-certificate"),
        ({"leaf": {"number": 8, "bits": 1024}}, "weak-key"),
    ],
)
def test_one_rule_broken(changes, expected):
    assert reason(made(**changes)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"leaf": {"key_usage": None}},
        {"leaf": {"purposes": (CODE_SIGNING, SERVER_AUTH)}},
        {"middle": {"path_length": 0}, "root": {"path_length": 1}},
        {"middle": {"purposes": (CODE_SIGNING,)}},
        {"middle": {"purposes": ("2.5.29.37.0",)}},
        {"leaf": {"extra": ((UNKNOWN, False),)}},
        {"middle": {"key_usage": None}},
        {"leaf": {"digest": hashes.SHA512()}},
    ],
)
def test_allowed_input(changes):
    assert len(find(made(**changes))) == 3


def test_a_path_length_counts_authorities_alone():
    links = chain(
        Description(),
        authority("LAB lower", 3),
        authority("LAB upper", 1, path_length=0),
        authority("LAB top", 2),
    )
    assert reason(links) == "bad-certificate"


def test_the_purpose_is_the_required_one():
    assert reason(made(), purpose=TIME_STAMPING) == "wrong-purpose"


def test_no_path_is_no_trust():
    assert reason(made(), pool=[]) == "untrusted-root"
    assert reason(made(), roots=[issue(authority("LAB top", 4))]) == "untrusted-root"


def test_a_circle_of_authorities_ends():
    first = issue(authority("LAB a", 1))
    second = issue(authority("LAB b", 2), first)
    back = issue(authority("LAB a", 1), second)
    leaf = issue(Description(), second)
    pool = [first.certificate, second.certificate, back.certificate] * 8
    assert reason(Chain(leaf, (), made().root), pool=pool) == "untrusted-root"
