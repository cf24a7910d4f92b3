"""A plug-in brings its own rows, and what it has between two releases is unreleased."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from bundler.flow import extract_runtime, runtimes
from bundler.model.script_runtime import ReleasedRuntime, ScriptRuntime
from bundler.products import registry
from bundler.render.runtime import Part

PART = Part("templates/hello/runtime/linux/a.sh", "a\n")


@dataclass
class Scripts:
    """A plug-in's."""

    RELEASED: tuple[ReleasedRuntime, ...] = ()

    def parts(self):
        return {"hello.sh": (PART,)}


@pytest.fixture
def plugin(monkeypatch):
    """Installs a product under a name that no test before has used, so that nothing of it is kept."""

    def install(name, version, *, loaded=True, **more):
        found = SimpleNamespace(scripts=Scripts(**more)) if loaded else None
        monkeypatch.setattr(registry, "loaded", lambda _: found)
        monkeypatch.setattr(registry, "find", lambda _: registry.Installed(name, "arc-hello", version))
        return Scripts(**more)

    return install


def runtime(product):
    digest = runtimes.digest(b"# ---- templates/hello/runtime/linux/a.sh ----\na\n# ==== end of the runtime ====\n")
    return ScriptRuntime(product=product, platform="linux", script="hello.sh", digest=digest)


def test_a_plug_ins_row_names_both_releases(plugin):
    own = runtime("hello-1")
    row = ReleasedRuntime(
        release="arc-bundler 0.2.0 + arc-hello 1.0", product="hello-1", platform="linux", script="hello.sh",
        digest=own.digest,
    )  # fmt: skip
    plugin("hello-1", "1.0", RELEASED=(row,))
    assert runtimes.installed("hello-1") == (own,)
    assert [one.text for one in runtimes.known([own])] == ["runtime of arc-bundler 0.2.0 + arc-hello 1.0"]


@pytest.mark.parametrize(("version", "release"), [("1.0.dev0", "unreleased"), ("1.0", "")])
def test_between_two_releases_of_a_plug_in_its_runtime_is_unreleased(plugin, monkeypatch, version, release):
    monkeypatch.setattr(runtimes, "IS_RELEASE", True)
    plugin(f"hello-{version}", version)
    assert [one.release for one in runtimes.known([runtime(f"hello-{version}")])] == [release]


def test_a_product_that_is_loaded_later_is_known_then(plugin):
    plugin("hello-2", "1.0.dev0", loaded=False)
    assert runtimes.installed("hello-2") == ()
    assert [one.release for one in runtimes.known([runtime("hello-2")])] == [""]
    plugin("hello-2", "1.0.dev0")
    assert [one.release for one in runtimes.known([runtime("hello-2")])] == ["unreleased"]


def test_a_plug_ins_files_are_handed_out_as_those_of_built_in_products(plugin):
    plugin("hello-3", "1.0.dev0")
    found = extract_runtime.files(["hello-3"])
    assert set(found) == {PART.path, "joined/hello-3/hello.sh", "SHA256SUMS"}
    assert found["SHA256SUMS"].decode() == f"{runtime('hello-3').digest}  joined/hello-3/hello.sh\n"
