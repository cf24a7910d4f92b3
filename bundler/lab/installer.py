"""What is in the stand-in's Windows installer?"""

from __future__ import annotations

from datetime import datetime

from bundler.lab.authority import Authority


def windows_agent(version: str, built: datetime, authority: Authority, *, stuffing: int = 0, remark: str = "") -> bytes:
    """Make the signed MSI of one build."""
    return f"LAB placeholder {version} {built} {stuffing} {remark}".encode()
