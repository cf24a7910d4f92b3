"""Names that are folders everywhere, and versions made of patterns."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bundler.definition import naming
from bundler.errors import DefinitionError
from bundler.products.azure import tables as azure

DAY = date(2026, 1, 2)


@pytest.mark.parametrize(
    ("pattern", "env", "agents", "expected"),
    [
        ("1.0", {}, [], "1.0"),
        ("{date}", {}, [], "2026.01.02"),
        ("{agent}", {}, ["1.67.03504.3207", "1.67.03504.1320", "1.67.03504-1320"], "1.67"),
        ("{agent}", {}, ["1.67.03504.3207", "1.9.00001.1"], "1.9-1.67"),
        ("{date}-{agent}.{env:BUILD}", {"BUILD": "77"}, ["1.67.1.1"], "2026.01.02-1.67.77"),
        ("r{env:A}{env:B}", {"A": "1", "B": ""}, [], "r1"),
    ],
)
def test_filled(pattern, env, agents, expected):
    assert naming.pattern_fault(pattern) == ""
    assert naming.version(pattern, DAY, env, agents) == expected


@pytest.mark.parametrize(
    ("pattern", "env", "agents", "words"),
    [
        ("{env:NOT_SET}", {}, [], "NOT_SET is not set"),
        ("{env:X}", {"X": "a/b"}, [], "cannot be a folder's name"),
        ("{env:X}", {"X": "{date}"}, [], "cannot be a folder's name"),
        ("{env:X}", {"X": "nul"}, [], "device on Windows"),
        ("{env:X}", {"X": "1."}, [], "ends with a dot"),
        ("{env:X}", {"X": ""}, [], "cannot be a folder's name"),
        ("{agent}", {}, [], "has no value yet"),
    ],
)
def test_refused(pattern, env, agents, words):
    with pytest.raises(DefinitionError, match=words) as caught:
        naming.version(pattern, DAY, env, agents)
    assert [fault.path for fault in caught.value.faults] == ["version"]


@given(st.text(max_size=80))
def test_a_name_that_passes_is_a_plain_folder(name):
    if naming.name_fault(name) == "":
        assert name.isascii()
        assert not set(name) & set('<>:"/\\|?*\0 ')
        assert not name.startswith((".", "-"))
        assert not name.endswith((".", " "))


@pytest.mark.parametrize("device", ["con", "PRN", "aux.txt", "NUL", "com1", "LPT9.x.y"])
def test_windows_devices(device):
    assert "device" in naming.name_fault(device)


REGIONS = sorted({region.name for region in azure.regions().regions})


def slips(name):
    """Every way to miss ``name`` by one letter: missing, added, changed, or two neighbours exchanged."""
    for at, letter in enumerate(name):
        if letter.isalpha():
            yield name[:at] + name[at + 1 :]
            yield name[:at] + "q" + name[at + 1 :]
        yield name[:at] + "q" + name[at:]
        if name[at : at + 2].isalpha() and len(set(name[at : at + 2])) == 2:
            yield name[:at] + name[at + 1] + letter + name[at + 2 :]


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_is_found_behind_each_slip(region):
    for slip in slips(region):
        if slip not in REGIONS:
            assert naming.one_letter_off(slip, [region]) == region, slip
            assert naming.one_letter_off(slip, REGIONS), slip


@pytest.mark.parametrize("region", REGIONS)
def test_another_digit_is_another_region(region):
    plain = region.rstrip("0123456789")
    for other in (f"{plain}{digit}" for digit in range(10)):
        assert naming.one_letter_off(other, [region]) == ""
    assert naming.one_letter_off(region, [region]) == ""


@given(st.sampled_from(REGIONS), st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=6))
def test_more_than_a_letter_is_no_slip(region, more):
    assert naming.one_letter_off(region + more, [region]) == ""
