"""Simulates the agent's local endpoint that gives tokens to programs.

The address, the challenge and the answer: managed-identity-authentication.md. GET with the header ``Metadata: true``
is answered 401, and ``WWW-Authenticate: Basic realm=PATH`` names a file that only root and the group can read; the same
request with that file's content is answered with a token. ``/agentstatus`` states the agent's state.

Where Microsoft's documents are silent, this is our choice: 400 for a request without the header, the resource or a
known version; 403 for a wrong key; a key is good for one answer. Tokens say LAB and open nothing.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, get_args
from urllib.parse import parse_qs, urlsplit

from typing_extensions import Self

PORT: Final = 40342
"""Where the real agent listens, on the loopback interface."""
TOKEN: Final = "/metadata/identity/oauth2/token"  # noqa: S105 - an address
STATUS: Final = "/agentstatus"
VERSIONS: Final = frozenset({"2020-06-01", "2019-11-01"})

Manner = Literal["good", "open", "unnamed", "elsewhere", "missing", "refusing", "failing", "silent"]
"""How it behaves: ``good`` as documented; ``open`` gives a token without a key; ``unnamed`` challenges without a realm;
``elsewhere`` names a file that is not a key (a client must not read it); ``missing`` one that does not exist;
``refusing`` accepts no key; ``failing`` answers 500; ``silent`` takes connections and never answers."""
ELSEWHERE: Final = "/etc/shadow"


class LocalIdentity:
    """The endpoint, from entry to exit of a ``with`` block.

    ``tokens`` is the folder where keys are put; ``realm`` is its name in the challenge, where the client
    sees it under another path (a root of its own, Wine).
    """

    def __init__(
        self,
        tokens: Path,
        *,
        realm: str = "",
        port: int = 0,
        status: str = "Connected",
        manner: Manner = "good",
    ) -> None:
        """Listen on ``port`` of 127.0.0.1 (0: any free one). Raises OSError where it cannot be had."""
        self.tokens = tokens
        self.realm = realm or str(tokens)
        self.status = status
        self.manner: Manner = manner
        self.asked: list[str] = []
        """The requests so far: path, query, and ``+key`` where a key was sent."""
        self._keys: set[str] = set()
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def environment(self) -> dict[str, str]:
        """The two environment variables by which programs find it."""
        base = f"http://localhost:{self.port}"
        return {"IDENTITY_ENDPOINT": f"{base}{TOKEN}", "IMDS_ENDPOINT": base}

    def new_key(self) -> str:
        """Write a new key into the folder; returns its path as the challenge names it."""
        name, key = f"{secrets.token_hex(8)}.key", secrets.token_urlsafe(24)
        self.tokens.mkdir(parents=True, exist_ok=True)
        (self.tokens / name).write_text(key, encoding="ascii")
        with self._lock:
            self._keys.add(key)
        separator = "\\" if "\\" in self.realm else "/"
        return f"{self.realm}{separator}{name}"

    def take(self, key: str) -> bool:
        """Whether ``key`` is valid; it can be used once."""
        with self._lock:
            known = key in self._keys
            self._keys.discard(key)
        return known


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], endpoint: LocalIdentity) -> None:
        self.endpoint = endpoint
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        endpoint = self.server.endpoint
        key = self.headers.get("Authorization", "")
        endpoint.asked.append(f"{self.path}{' +key' if key else ''}")
        path = urlsplit(self.path).path
        if endpoint.manner == "silent":
            endpoint.stopping.wait()
        elif endpoint.manner == "failing":
            self._answer(500, {"error": "LAB: this endpoint was told to fail"})
        elif path == STATUS:
            self._answer(200, {"status": endpoint.status, "lab": True})
        elif path == TOKEN:
            self._token(endpoint, key)
        else:
            self._answer(404, {"error": "not found"})

    def _token(self, endpoint: LocalIdentity, key: str) -> None:
        wrong = self._wrong(endpoint)
        if wrong:
            self._answer(400, {"error": "invalid_request", "error_description": wrong})
        elif endpoint.manner == "open":
            self._give()
        elif not key:
            realm = self._realm(endpoint)
            self._answer(401, {"error": "unauthorized"}, challenge=f"Basic{f' realm={realm}' if realm else ''}")
        elif endpoint.manner != "refusing" and endpoint.take(key.removeprefix("Basic ")):
            self._give()
        else:
            self._answer(403, {"error": "forbidden", "error_description": "LAB: the key is not valid"})

    def _wrong(self, endpoint: LocalIdentity) -> str:
        query = parse_qs(urlsplit(self.path).query)
        if self.headers.get("Metadata", "").lower() != "true":
            return "LAB: the header Metadata: true is missing"
        if not query.get("resource"):
            return "LAB: resource is missing"
        if query.get("api-version", [""])[0] not in VERSIONS:
            return f"LAB: api-version must be one of {', '.join(sorted(VERSIONS))}"
        return "" if endpoint.status == "Connected" else "LAB: this machine is not connected"

    def _realm(self, endpoint: LocalIdentity) -> str:
        if endpoint.manner == "unnamed":
            return ""
        if endpoint.manner == "elsewhere":
            return ELSEWHERE
        named = endpoint.new_key()
        return f"{named}.gone" if endpoint.manner == "missing" else named

    def _give(self) -> None:
        resource = parse_qs(urlsplit(self.path).query)["resource"][0]
        self._answer(200, {"access_token": "LAB.token.LAB", "token_type": "Bearer", "resource": resource})

    def _answer(self, code: int, tree: object, *, challenge: str = "") -> None:
        body = json.dumps(tree).encode()
        self.send_response(code)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Log nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until standard input ends: for a network namespace, a root of its own or Wine.

    Prints ``ready PORT`` when it listens. ``python -m bundler.lab.identity --tokens DIR [--port 40342] …``.
    """
    asked = argparse.ArgumentParser(prog="python -m bundler.lab.identity", description="LAB: a stand-in of himds")
    asked.add_argument("--tokens", type=Path, required=True, help="folder for the keys")
    asked.add_argument("--realm", default="", help="what that folder is called in the challenge")
    asked.add_argument("--port", type=int, default=PORT)
    asked.add_argument("--status", default="Connected")
    asked.add_argument("--manner", choices=get_args(Manner), default="good")
    given = asked.parse_args(arguments)
    with LocalIdentity(
        given.tokens, realm=given.realm, port=given.port, status=given.status, manner=given.manner
    ) as served:
        sys.stdout.write(f"ready {served.port}\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
