"""For a path that is not a bundle, a bundle near it is suggested, and nothing below it is read."""

from __future__ import annotations

import os

import pytest

from bundler.errors import VerificationError
from bundler.pack import container


def touch(*files):
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def refused(path) -> VerificationError:
    with pytest.raises(VerificationError) as caught, container.open_bundle(path) as opened:
        list(opened.walk())
    return caught.value


@pytest.fixture
def site(tmp_path):
    made = tmp_path / "bundles/arc/1.0"
    touch(made / "arc-1.0/manifest.json", made / "arc-1.0/SHA256SUMS", made / "arc-1.0/payload/keys/a.asc")
    touch(made / "arc-1.0.zip", made / "arc-1.0.zip.sha256", made / "arc-1.0.review.html")
    return tmp_path


@pytest.mark.parametrize("above", ["bundles/arc/1.0", "bundles/arc", "bundles"])
def test_the_bundles_below_are_named(site, above):
    error = refused(site / above)
    assert error.reason == "missing-manifest"
    made = site / "bundles/arc/1.0"
    assert error.do == f"give one of these bundles: {made / 'arc-1.0'}, {made / 'arc-1.0.zip'}"


@pytest.mark.parametrize("inside", ["payload", "payload/keys", "payload/keys/a.asc", "manifest.json"])
def test_the_folder_that_it_lies_in_is_named(site, inside):
    bundle = site / "bundles/arc/1.0/arc-1.0"
    assert refused(bundle / inside).do == f"give the bundle's folder: {bundle}"


def test_where_there_is_none_the_usual_advice_is_given(site, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    touch(empty / "arc.txt")
    assert refused(empty).do == refused(empty / "arc.txt").do
    assert "copy it again" in refused(empty).do


def test_of_many_bundles_some_are_shown(tmp_path):
    touch(*(tmp_path / f"{number}.7z" for number in range(9)))
    assert refused(tmp_path).do.endswith(f"{tmp_path / '3.7z'}, …")


def test_a_crowd_of_files_is_not_looked_through(tmp_path):
    touch(*(tmp_path / f"a/{number}" for number in range(2001)), tmp_path / "a/z/1.zip")
    assert "copy it again" in refused(tmp_path).do


@pytest.mark.skipif(os.name != "posix", reason="links as anybody may make them")
def test_links_lead_nowhere(site):
    (site / "elsewhere").mkdir()
    (site / "elsewhere/link").symlink_to(site / "bundles", target_is_directory=True)
    assert "copy it again" in refused(site / "elsewhere").do


def test_half_a_bundle_is_a_bundle_and_refused_as_such(site):
    bundle = site / "bundles/arc/1.0/arc-1.0"
    (bundle / "manifest.json").unlink()
    with container.open_bundle(bundle) as opened:
        assert {member.path for member in opened.walk()} == {"SHA256SUMS", "payload/keys/a.asc"}
