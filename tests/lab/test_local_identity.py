"""The stand-in of the local token endpoint: the documented protocol, and each fault."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from bundler.lab.identity import ELSEWHERE, LocalIdentity

QUERY = "?resource=https%3A%2F%2Fmanagement.azure.com&api-version=2020-06-01"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url: str, **headers: str) -> tuple[int, dict, str]:
    """Status, JSON and challenge."""
    request = urllib.request.Request(url, headers=headers)
    try:
        with OPENER.open(request, timeout=5) as answer:
            return answer.status, json.load(answer), ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), error.headers.get("WWW-Authenticate", "")


def url(served: LocalIdentity) -> str:
    return served.environment["IDENTITY_ENDPOINT"].replace("localhost", "127.0.0.1")


def test_the_documented_conversation(tmp_path):
    with LocalIdentity(tmp_path / "tokens") as served:
        code, _, challenge = get(url(served) + QUERY, Metadata="true")
        assert code == 401
        key = Path(challenge.removeprefix("Basic realm="))
        assert (key.parent, key.suffix) == (tmp_path / "tokens", ".key")
        shown = {"Metadata": "true", "Authorization": f"Basic {key.read_text()}"}
        code, answer, _ = get(url(served) + QUERY, **shown)
        assert (code, answer["resource"]) == (200, "https://management.azure.com")
        assert "LAB" in answer["access_token"]
        assert get(url(served) + QUERY, **shown)[0] == 403  # a key is good for one answer
        assert [one.endswith("+key") for one in served.asked] == [False, True, True]


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (QUERY, {}),
        ("?api-version=2020-06-01", {"Metadata": "true"}),
        ("?resource=x&api-version=2018-01-01", {"Metadata": "true"}),
    ],
)
def test_what_is_asked_wrongly_is_refused(tmp_path, query, headers):
    with LocalIdentity(tmp_path) as served:
        assert get(url(served) + query, **headers)[0] == 400
    assert not list(tmp_path.iterdir())


def test_a_machine_that_is_not_connected_gives_no_token(tmp_path):
    with LocalIdentity(tmp_path, status="Disconnected") as served:
        assert get(url(served) + QUERY, Metadata="true")[0] == 400
        status = url(served).partition("/metadata")[0] + "/agentstatus"
        assert get(status)[1]["status"] == "Disconnected"


@pytest.mark.parametrize(
    ("manner", "code", "challenge"),
    [
        ("open", 200, ""),
        ("unnamed", 401, "Basic"),
        ("elsewhere", 401, f"Basic realm={ELSEWHERE}"),
        ("failing", 500, ""),
    ],
)
def test_it_simulates_each_fault(tmp_path, manner, code, challenge):
    with LocalIdentity(tmp_path, manner=manner) as served:
        found = get(url(served) + QUERY, Metadata="true")
        assert (found[0], found[2]) == (code, challenge)


def test_a_key_may_be_gone_or_refused(tmp_path):
    with LocalIdentity(tmp_path, manner="missing") as served:
        named = get(url(served) + QUERY, Metadata="true")[2].removeprefix("Basic realm=")
        assert not Path(named).exists()
        served.manner = "refusing"
        named = get(url(served) + QUERY, Metadata="true")[2].removeprefix("Basic realm=")
        shown = {"Metadata": "true", "Authorization": f"Basic {Path(named).read_text()}"}
        assert get(url(served) + QUERY, **shown)[0] == 403


def test_silence_ends_with_the_endpoint(tmp_path):
    with LocalIdentity(tmp_path, manner="silent") as served, pytest.raises(TimeoutError):
        OPENER.open(urllib.request.Request(url(served) + QUERY), timeout=0.3)


def test_the_challenge_names_the_folder_as_the_caller_sees_it(tmp_path):
    with LocalIdentity(tmp_path, realm="C:\\ProgramData\\AzureConnectedMachineAgent\\Tokens") as served:
        challenge = get(url(served) + QUERY, Metadata="true")[2]
    (key,) = tmp_path.iterdir()
    assert challenge == f"Basic realm=C:\\ProgramData\\AzureConnectedMachineAgent\\Tokens\\{key.name}"


def test_it_runs_by_itself_until_its_input_ends(tmp_path):
    command = [sys.executable, "-m", "bundler.lab.identity", "--tokens", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        ready, port = run.stdout.readline().split()
        assert ready == "ready"
        assert get(f"http://127.0.0.1:{port}/agentstatus")[0] == 200
        run.stdin.close()
        assert run.wait(10) == 0
