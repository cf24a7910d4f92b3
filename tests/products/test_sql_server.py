"""What the review page says of SQL Server, from a manifest's parameters alone."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from bundler.model.manifest import Manifest
from bundler.model.target import Target
from bundler.products.arc_server import review, sql_server

TAG = f"tags.{sql_server.TAG}"
EXTENSION = "Microsoft.AzureData/WindowsAgent.SqlServer"


def lines(parameters: dict[str, str], *systems: str) -> list[tuple[str, str]]:
    manifest = Manifest(
        name="arc", version="1", product="arc-server", created=datetime(2026, 1, 1, tzinfo=timezone.utc), tool="test",
        targets=tuple(Target(os=name, version="") for name in systems), parameters=parameters, anchors="A",
        anchors_sha256="", lock_sha256="", pins=(), files=(),
    )  # fmt: skip
    return [(one.level, one.title) for one in review.findings(manifest) if "SQL Server" in one.title]


@pytest.mark.parametrize(
    ("parameters", "level", "title"),
    [
        ({}, "look", "Azure connects SQL Server where it finds one"),
        ({"tags.site": "tokyo"}, "look", "Azure connects SQL Server where it finds one"),
        ({TAG: "Enabled"}, "look", "Azure connects SQL Server where it finds one"),
        ({TAG: "Disabled"}, "ordinary", "Azure leaves SQL Server alone"),
        ({TAG.lower(): "disabled"}, "ordinary", "Azure leaves SQL Server alone"),
        ({TAG: "PAYG"}, "know", "Azure connects SQL Server"),
        ({"settings.config.mode": "monitor"}, "ordinary", "Azure leaves SQL Server alone"),
        ({"settings.extensions.enabled": "false"}, "ordinary", "Azure leaves SQL Server alone"),
        ({"settings.extensions.blocklist": f"A/B,{EXTENSION}"}, "ordinary", "Azure leaves SQL Server alone"),
        ({"settings.extensions.allowlist": "A/B"}, "ordinary", "Azure leaves SQL Server alone"),
        ({"settings.extensions.allowlist": f"A/B,{EXTENSION}"}, "know", "Azure connects SQL Server"),
        ({"settings.extensions.allowlist": EXTENSION, TAG: "Disabled"}, "ordinary", "Azure leaves SQL Server alone"),
    ],
)
def test_the_review_page_has_the_line(parameters: dict[str, str], level: str, title: str) -> None:
    assert lines(parameters, "windows") == [(level, title)]
    assert lines(parameters, "ubuntu", "windows") == [(level, title)]
    assert lines(parameters, "ubuntu") == ([] if level == "look" else [(level, title)])
