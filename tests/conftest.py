"""What all tests share: where the real signed files and a PowerShell are."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import powershell_hosts, printed, shared, state_matrix
from tests.support.state_matrix import pytest_itemcollected

# What a shell starts in the background (``make test &``, ``nohup``) ignores these, and so would what the tests start
# and interrupt: a handler is not inherited, to be ignored is.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _name in ("SIGHUP", "SIGQUIT"):
    if hasattr(signal, _name) and signal.getsignal(getattr(signal, _name)) is signal.SIG_IGN:
        signal.signal(getattr(signal, _name), lambda *_: None)

# Before the workers start, so that all of them share one folder.
shared.begin()
shared.now()

__all__ = ["pytest_itemcollected"]


def pytest_terminal_summary(terminalreporter) -> None:
    """Print what the tests found: the matrix of states, and measured figures."""
    state_matrix.pytest_terminal_summary(terminalreporter)
    printed.summary(terminalreporter)


# How long an example takes says how busy the machine is.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"

NO_UNIT_ROOMS = {"fetch", "flow", "lab", "review", "target_server"}
"""Rooms with tests that start servers, shells, browsers or whole commands."""
NO_UNIT_FIXTURES = {"every_unpacker", "lab", "lab_root", "powershell", "project", "server", "shared_lab", "wheel"}
NO_UNIT_MARKS = ("chroot", "slow", "wine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as ``unit`` what `make check` runs."""
    for item in items:
        room = item.path.relative_to(REPOSITORY / "tests").parts[0]
        fixtures = NO_UNIT_FIXTURES.intersection(getattr(item, "fixturenames", ()))
        if room not in NO_UNIT_ROOMS and not fixtures and not any(map(item.get_closest_marker, NO_UNIT_MARKS)):
            item.add_marker(pytest.mark.unit)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real signed and damaged files; tests that need it are skipped where it is missing."""
    folder = SHARED / "corpus"
    if not folder.is_dir():
        pytest.skip(f"the corpus of real signed files is not at {folder}")
    return folder


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run PowerShell's tests on both hosts: where a module says ``BOTH_HOSTS``, and all by ``make thorough``."""
    if "powershell" in metafunc.fixturenames:
        hosts = powershell_hosts.hosts(both=getattr(metafunc.module, "BOTH_HOSTS", False))
        if len(hosts) > 1:
            metafunc.parametrize("powershell", hosts.values(), ids=list(hosts), indirect=True, scope="session")


@pytest.fixture(scope="session")
def powershell(request: pytest.FixtureRequest) -> str:
    """The path of a PowerShell; tests that need one are skipped where there is none, and fail in CI."""
    found = getattr(request, "param", None) or powershell_hosts.find()
    if found is None:
        (pytest.fail if powershell_hosts.demanded() else pytest.skip)(powershell_hosts.REASON)
    return str(found)
