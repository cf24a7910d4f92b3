"""The matrix of what the scripts find on a server: each row of the table in docs/on-the-server.md, on both systems.

A plugin of pytest (tests/conftest.py takes it in): at the end of a run that had such tests it prints how each row did.
It works under xdist too: what a test stands for travels in its report's ``user_properties``.
"""

from __future__ import annotations

from collections import Counter

PROPERTY = "state-row"
SYSTEMS = ("linux", "windows")
NONE: tuple[str, ...] = ()
"""The system cannot be in that state."""

SH, PS = "test_every_state_has_its_answer", "test_every_state_has_its_answer"

# Row: the tests on Linux and on Windows, each a function and, behind a colon, one of its parameters.
ROWS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "nothing": ((f"{SH}:nothing installed",), (f"{PS}:nothing",)),
    "the same version": ((f"{SH}:same version, connected",), (f"{PS}:the same version, disconnected",)),
    "an older version": (
        (f"{SH}:older, not connected", f"{SH}:older, connected"),
        (f"{PS}:older and connected",),
    ),
    "a newer version": (
        (f"{SH}:newer", f"{SH}:newer, downgrade allowed"),
        (f"{PS}:newer", f"{PS}:newer, and it may be replaced"),
    ),
    "installed, not connected": ((f"{SH}:same version, not connected",), (f"{PS}:the same version, disconnected",)),
    "connected to the resource of this bundle": ((f"{SH}:same version, connected",), (f"{PS}:connected as wanted",)),
    "connected to the resource of this bundle, and out of contact": (
        ("test_who_has_lost_contact_is_told_why",),
        ("test_who_has_lost_contact_is_told_why",),
    ),
    "connected elsewhere": (
        (f"{SH}:connected elsewhere", f"{SH}:connected elsewhere, to move"),
        (f"{PS}:connected elsewhere", f"{PS}:connected elsewhere, and to be moved"),
    ),
    "an expired identity (90 days without contact)": (
        ("test_an_expired_identity_is_made_anew",),
        (f"{PS}:an expired identity",),
    ),
    "an agent that does not say its state": (
        (
            "test_what_is_not_understood_is_not_called_absent",
            "test_an_unknown_state_is_removed_where_that_is_asked_for",
        ),
        ("test_what_cannot_be_read_is_not_taken_for_absent", "test_a_word_removes_what_does_not_answer"),
    ),
    "a copy of a connected machine": (
        ("test_a_copy_of_a_connected_machine_is_warned", "test_a_copy_where_the_definition_names_the_resource_is_67"),
        (
            "test_a_copy_of_a_connected_machine_is_warned_of",
            "test_another_name_than_the_definitions_is_another_resource",
        ),
    ),
    "a Hyper-V guest that is uninstalled or moved": (
        ("test_uninstalling_deletes_no_virtual_machine", "test_moving_deletes_no_virtual_machine"),
        ("test_in_a_hyper_v_guest_the_resource_stays", "test_in_a_hyper_v_guest_reconnecting_leaves_the_other_one"),
    ),
    "the package is installed, its program is missing": (
        (f"{SH}:installed, its program missing", "test_a_lost_program_is_put_back"),
        ("test_an_agent_that_is_listed_without_its_program_is_repaired", "test_what_cannot_be_repaired_is_214"),
    ),
    "dpkg: unpacked, half-configured": (
        (f"{SH}:half-configured", f"{SH}:unpacked, older", "test_what_dpkg_cannot_configure_is_214"),
        NONE,
    ),
    "dpkg: half-installed": ((f"{SH}:half-installed",), NONE),
    "rpm: two versions, from an upgrade that was killed": (("test_a_leftover_of_an_rpm_upgrade_is_dropped",), NONE),
    "Windows' own Azure Arc setup": (NONE, ("test_what_is_worth_knowing_does_not_stop",)),
    "another package installation is running": (
        (
            "test_a_held_lock_is_waited_for_and_its_holder_named",
            "test_somebody_else_runs_zypper",
            "test_somebody_else_runs_dnf",
        ),
        ("test_another_installation_is_waited_for",),
    ),
    "this script is running already": (("test_two_at_once",), ("test_two_runs_exclude_each_other",)),
    "its own folder, made by another user": (
        ("test_a_folder_for_logs_that_somebody_else_made_is_not_taken",),
        (
            "test_a_folder_that_somebody_else_made_is_not_believed",
            "test_what_was_put_in_while_the_folder_was_made_is_not_believed",
        ),
    ),
    "a run that was killed, at any point": (
        ("test_killed_at_fifty_points_it_ends_well", "test_killed_it_leaves_a_receipt_all_the_same"),
        (
            "test_killed_anywhere_and_run_again",
            "test_killed_with_the_program_that_it_waits_for",
            "test_a_kill_leaves_a_receipt",
        ),
    ),
    "a proxy that an earlier bundle set, and this one has none": (
        ("test_a_proxy_of_an_earlier_bundle_goes_with_it", "test_a_proxy_that_somebody_else_set_stays"),
        ("test_a_proxy_of_an_earlier_bundle_is_cleared", "test_a_proxy_of_somebody_elses_stays"),
    ),
}


def names(item) -> set[str]:
    """What a test may be called in :data:`ROWS`."""
    function = getattr(item, "originalname", "") or item.name
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return {function, *(f"{function}:{one}" for one in parameters if isinstance(one, str))}


def stands_for(item) -> list[tuple[str, str]]:
    """The rows of a test, each with its system."""
    if item.path.parent.name != "target_server":
        return []
    place = 1 if item.path.stem.endswith("_ps1") else 0
    return [(row, SYSTEMS[place]) for row, tests in ROWS.items() if names(item) & set(tests[place])]


def pytest_itemcollected(item) -> None:
    """Give each test its rows."""
    item.user_properties += [(PROPERTY, place) for place in stands_for(item)]


def cell(counted: Counter[str], tests: tuple[str, ...]) -> str:
    """One place of the matrix."""
    if not tests:
        return "-"
    if counted["failed"]:
        return f"FAILED ({counted['failed']} of {counted.total()})"
    if counted["passed"]:
        return f"passed ({counted['passed']})"
    return "skipped" if counted["skipped"] else "not run"


def matrix(reports) -> list[str]:
    """The lines of the matrix; none where no such test ran."""
    counted: dict[tuple[str, str], Counter[str]] = {}
    for report in reports:
        if report.when != "call" and report.outcome == "passed":
            continue
        for name, place in report.user_properties:
            if name == PROPERTY:
                counted.setdefault(tuple(place), Counter())[report.outcome] += 1
    if not counted:
        return []
    width = max(map(len, ROWS))
    lines = [f"{'state':{width}} | {'linux':16} | windows"]
    for row, tests in ROWS.items():
        cells = [cell(counted.get((row, system), Counter()), tests[at]) for at, system in enumerate(SYSTEMS)]
        lines.append(f"{row:{width}} | {cells[0]:16} | {cells[1]}")
    return lines


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the matrix."""
    stats = terminalreporter.stats
    reports = [report for outcome in ("passed", "failed", "error", "skipped") for report in stats.get(outcome, [])]
    lines = matrix([report for report in reports if hasattr(report, "user_properties")])
    if lines:
        terminalreporter.section("what is found on a server, and answered")
        for line in lines:
            terminalreporter.write_line(line)
