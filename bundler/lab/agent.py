"""The lab's stand-in agent: its releases, and the contents of its Linux packages."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from bundler.lab import agents
from bundler.lab.package import Moment, Package, PackagedFile

LINUX_HOME = "/opt/azcmagent"
NAME = "azcmagent"
SUMMARY = "Azure Connected Machine Agent (LAB stand-in)"
DESCRIPTION = """LAB material: not Microsoft's, and not an agent.
It answers azcmagent's commands and connects to nothing."""


@dataclass(frozen=True)
class Release:
    """One build of the agent, with its version on each system; the numbers follow the real ones.

    Windows and Linux share the third number in most releases; deb and rpm had different last numbers in old ones.
    """

    windows: str
    deb: str
    rpm: str
    """With dots, as in a deb: the last number becomes the rpm's release."""
    age: timedelta
    """Published this long before the lab's ``since`` + :data:`HISTORY`."""

    @property
    def minor(self) -> str:
        """``MAJOR.MINOR``, by which the Windows agent is asked for."""
        return ".".join(self.windows.split(".")[:2])


HISTORY = timedelta(days=400)
"""Time from the creation of the lab's keys to its first start: every release is newer than the keys."""

RELEASES = (
    Release("1.58.03228.2572", "1.58.03228.693", "1.58.03228.711", timedelta(days=310)),
    Release("1.65.03450.3055", "1.65.03450.1236", "1.65.03450.1236", timedelta(days=140)),
    Release("1.66.03471.3113", "1.66.03471.1262", "1.66.03471.1262", timedelta(days=112)),
    Release("1.66.03478.3121", "1.66.03478.1270", "1.66.03478.1270", timedelta(days=104)),
    Release("1.67.03504.3207", "1.67.03504.1320", "1.67.03504.1320", timedelta(days=75)),
    Release("1.68.03532.3286", "1.68.03532.1399", "1.68.03532.1399", timedelta(days=45)),
)
"""Oldest first. 1.66 was built twice, so ``1.66`` has changed once."""


def release(version: str, age: timedelta = timedelta(0)) -> Release:
    """Describe a further release, one build number for all systems: ``1.69.03560.3300``."""
    return Release(version, version, version, age)


def bulk(size: int, seed: str) -> bytes:
    """Make ``size`` bytes that do not compress, the same for the same seed: stuffing for real sizes."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - stuffing, not a secret


def linux_package(version: str, architecture: str, built: datetime, *, stuffing: int = 0, remark: str = "") -> Package:
    """Make the agent's package of one version (``1.67.03504.1320``) for one architecture, named as in its format."""
    front, _, last = version.rpartition(".")
    files = [
        PackagedFile(f"{LINUX_HOME}/bin/azcmagent", agents.linux(version), 0o755),
        PackagedFile(f"{LINUX_HOME}/LAB.txt", f"{DESCRIPTION}\n".encode()),
    ]
    if stuffing:
        files.append(PackagedFile(f"{LINUX_HOME}/LAB.bin", bulk(stuffing, f"{version} {architecture}")))
    return Package(
        name=NAME,
        version=front,
        release=last,
        architecture=architecture,
        summary=SUMMARY,
        description=DESCRIPTION + (f"\n{remark}" if remark else ""),
        built=built,
        files=tuple(files),
        owned=(LINUX_HOME, f"{LINUX_HOME}/bin"),
        scripts=_SCRIPTS,
    )


_AFTER_INSTALL = f"""#!/bin/sh
# LAB stand-in: makes the users, the state folder and the command that the real package makes, as far as it can.
if command -v groupadd >/dev/null 2>&1; then
    getent group himds >/dev/null 2>&1 || groupadd --system himds || true
    for user in himds arcproxy; do
        id "$user" >/dev/null 2>&1 ||
            useradd --system --gid himds --home-dir /var/opt/azcmagent --no-create-home \\
                --shell /usr/sbin/nologin "$user" || true
    done
fi
mkdir -p /var/opt/azcmagent/log /var/opt/azcmagent/certs /var/opt/azcmagent/tokens
mkdir -p /usr/bin
ln -sf {LINUX_HOME}/bin/azcmagent /usr/bin/azcmagent
exit 0
"""

_BEFORE_REMOVE = """#!/bin/sh
# LAB stand-in: the real package stops its services here; this one has none.
exit 0
"""

_AFTER_REMOVE = """#!/bin/sh
# LAB stand-in. The state in /var/opt/azcmagent stays, as the real package leaves it.
case "$1" in upgrade | 1) exit 0 ;; esac
rm -f /usr/bin/azcmagent
exit 0
"""

_SCRIPTS: dict[Moment, str] = {
    "after-install": _AFTER_INSTALL,
    "before-remove": _BEFORE_REMOVE,
    "after-remove": _AFTER_REMOVE,
}
