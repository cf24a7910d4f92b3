"""A faulty upstream: its own exit code and message, nothing under a final name, and a later run completes."""

from __future__ import annotations

import pytest

from bundler.fetch import retry
from bundler.lab import behaviour
from bundler.lab.lab import Lab

MSI = "*/AzureConnectedMachineAgent.msi"
DEB = "*.deb"
INDEX = "*Packages*"

CASES = {
    "portal instead of the MSI": (MSI, behaviour.Portal(), 6, "HTML page"),
    "portal instead of the release": ("*InRelease", behaviour.Portal(), 6, "HTML page"),
    "403": (MSI, behaviour.Status(403), 5, "403"),
    "404": (DEB, behaviour.Status(404), 5, "404"),
    "a loop": (MSI, behaviour.Redirect("AzureConnectedMachineAgent.msi"), 5, "circle"),
    "to http": (MSI, behaviour.Redirect("http://localhost/x"), 5, "not https"),
    "to a foreign host": (MSI, behaviour.Redirect("https://[::1]:1/x"), 5, ""),
    "another package": (DEB, behaviour.Instead(b"!<arch>\n" * 100), 6, ""),
    "another index": (INDEX, behaviour.Instead(b"Package: azcmagent\n"), 6, ""),
    "an index bomb": (INDEX, behaviour.Instead(b"\x1f\x8b" + bytes(4096)), 6, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_an_upstream_fault_has_its_exit_code_and_leaves_nothing(project, case, monkeypatch):
    monkeypatch.setattr(retry, "backoff", lambda *_, **__: 0.0)
    pattern, told, code, said = CASES[case]
    project.lab.misbehave(pattern, told)
    refused = project.run("build")
    assert refused.code == code, refused.err
    assert said in refused.err
    assert "What to do" in refused.err
    assert "Traceback" not in refused.err
    assert not project.lock.exists()
    assert not list((project.folder / "bundles").rglob("*")) if (project.folder / "bundles").exists() else True
    project.lab.behave()
    assert project.run("build").code == 0


@pytest.mark.parametrize(
    "told",
    [behaviour.Truncated(4000), behaviour.Reset(4000), behaviour.Stalled(4000), behaviour.Status(503)],
    ids=["truncated", "reset", "stalled", "503"],
)
def test_transient_failures_are_retried_and_resumed(project, monkeypatch, told):
    monkeypatch.setenv("ARC_BUNDLER_TIMEOUT", "0.3")
    project.lab.misbehave(MSI, told, times=1)
    assert project.run("build").code == 0


@pytest.mark.parametrize("certificate", ["other-host", "expired", "unknown"])
def test_a_certificate_that_must_be_refused(project, certificate):
    with Lab(project.folder / "lab", project.now, certificate=certificate) as bad:
        text = project.definition.read_text().replace(project.lab.host, bad.host)
        project.definition.write_text(text)
        refused = project.run("lock")
    assert refused.code == 5
    assert "certificate" in refused.err
    assert not project.lock.exists()


def test_a_package_of_another_version_than_in_its_index(project):
    """Genuine, signed, and not what the metadata names: refused by its digest."""
    project.run("lock")
    stale = next(p for p in (project.store / "objects").rglob("*") if p.is_file() and p.read_bytes()[:7] == b"!<arch>")
    other = stale.read_bytes()
    project.lab.publish("1.69.03560.1450")
    project.lab.misbehave("*1.69.03560.1450*.deb", behaviour.Instead(other))
    refused = project.run("lock", "--upgrade")
    assert refused.code == 6
