"""Real files signed by Microsoft, and changed copies of them."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from bundler.errors import VerificationError
from bundler.formats import msi
from bundler.trust import anchors, authenticode

NOW = datetime.now(timezone.utc)

GOOD = [
    ("good-microsoft-2023.msi", "msi", "2023-01-28", "Microsoft Root Certificate Authority 2011"),
    ("good-microsoft-pca2024.dll", "pe", "2026-10-23", "Microsoft Root Certificate Authority 2011"),
    ("good-microsoft.psd1", "ps1", "2020-04-29", "Microsoft Root Certificate Authority 2011"),
]
BAD = [
    ("authenticode/bad-jar-appended.msi", "msi", "trailing-data"),
    ("authenticode/bad-other-publisher-same-root.dll", "pe", "wrong-publisher"),
    ("damaged/html-page.msi", "msi", "html"),
    ("damaged/truncated.msi", "msi", "truncated"),
]


def verify(path: Path, kind: authenticode.Kind, at: datetime = NOW):
    with path.open("rb") as file:
        return authenticode.verify(file, kind, anchors=anchors.microsoft(), at=at)


@pytest.mark.parametrize(("name", "kind", "day", "root"), GOOD)
def test_microsofts_own_files(corpus, name, kind, day, root):
    evidence = verify(corpus / "authenticode" / name, kind)
    assert evidence.signer == "CN=Microsoft Corporation,O=Microsoft Corporation,L=Redmond,ST=Washington,C=US"
    assert f"{evidence.signed_at:%Y-%m-%d}" == day
    assert root in evidence.chain[-1].subject
    assert "2010" in evidence.timestamp_chain[-1].subject
    assert evidence.anchors == "Microsoft"


@pytest.mark.parametrize(("name", "kind", "reason"), BAD)
def test_bad_files(corpus, name, kind, reason):
    with pytest.raises(VerificationError) as caught:
        verify(corpus / name, kind)
    assert caught.value.reason == reason
    assert caught.value.details


def test_a_real_file_before_it_was_signed(corpus):
    with pytest.raises(VerificationError) as caught:
        verify(corpus / "authenticode/good-microsoft-2023.msi", "msi", datetime(2023, 1, 1, tzinfo=timezone.utc))
    assert caught.value.reason == "timestamp-in-future"


def test_facts_of_a_real_installer(corpus):
    with (corpus / "authenticode/good-microsoft-2023.msi").open("rb") as file:
        facts = msi.facts(file)
    assert facts.version == "15.0.4298.1"
    assert facts.supplier == "Microsoft Corporation"
    assert facts.name.startswith("Utilitários de Linha de Comando 15")
    assert facts.architecture == "x86"
