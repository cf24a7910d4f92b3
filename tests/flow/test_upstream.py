"""An upstream that misbehaves: its own exit code and sentence, nothing under a final name, and a good run completes."""

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
def test_an_upstream_fault_has_its_exit_code_and_leaves_nothing(site, case, monkeypatch):
    monkeypatch.setattr(retry, "delay", lambda *_, **__: 0.0)
    pattern, told, code, said = CASES[case]
    site.lab.misbehave(pattern, told)
    refused = site.run("build")
    assert refused.code == code, refused.err
    assert said in refused.err
    assert "What to do" in refused.err
    assert "Traceback" not in refused.err
    assert not site.lock.exists()
    assert not list((site.folder / "bundles").rglob("*")) if (site.folder / "bundles").exists() else True
    site.lab.behave()
    assert site.run("build").code == 0


@pytest.mark.parametrize(
    "told",
    [behaviour.Truncated(4000), behaviour.Reset(4000), behaviour.Stalled(4000), behaviour.Status(503)],
    ids=["truncated", "reset", "stalled", "503"],
)
def test_what_passes_is_waited_for_and_resumed(site, monkeypatch, told):
    monkeypatch.setenv("ARC_BUNDLER_TIMEOUT", "0.3")
    site.lab.misbehave(MSI, told, times=1)
    assert site.run("build").code == 0


@pytest.mark.parametrize("certificate", ["other-host", "expired", "unknown"])
def test_a_certificate_that_must_be_refused(site, certificate):
    with Lab(site.folder / "lab", site.now, certificate=certificate) as bad:
        text = site.definition.read_text().replace(site.lab.host, bad.host)
        site.definition.write_text(text)
        refused = site.run("lock")
    assert refused.code == 5
    assert "certificate" in refused.err
    assert not site.lock.exists()


def test_a_package_of_another_version_than_its_index_says(site):
    """Genuine, signed, and not what the metadata names: refused by its digest."""
    site.run("lock")
    stale = next(p for p in (site.store / "objects").rglob("*") if p.is_file() and p.read_bytes()[:7] == b"!<arch>")
    other = stale.read_bytes()
    site.lab.publish("1.69.03560.1450")
    site.lab.misbehave("*1.69.03560.1450*.deb", behaviour.Instead(other))
    refused = site.run("lock")
    assert refused.code == 6
