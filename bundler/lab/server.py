"""The lab's HTTPS server.

GET with ranges and entity tags (RFC 9110); HEAD is refused with 403, as the real hosts were seen to do.
Faults are set by path and simulated here, between content and connection.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from bundler.lab import behaviour as bad
from bundler.lab.behaviour import Behaviour
from bundler.lab.package import sha256
from bundler.lab.upstream import Content, Moved

_PIECE = 64 * 1024
_DELIVERY = 0.05
"""Seconds in which a caller gets what was sent, before a reset may make its system throw it away."""

_LINGER = "hh" if os.name == "nt" else "ii"
"""``struct linger``: two of C's short on Windows, of int elsewhere."""

Find = Callable[[str], Content | Moved | None]


@dataclass(frozen=True)
class Request:
    """One request that came in."""

    method: str
    path: str
    """As it was sent, with its query."""
    range: str = ""
    """The ``Range`` header."""
    cache_control: str = ""
    """The ``Cache-Control`` header."""


@dataclass
class _Instruction:
    pattern: str
    behaviour: Behaviour
    left: int | None


class Server(ThreadingHTTPServer):
    """An HTTPS server on the loopback interface."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    allow_reuse_address = os.name != "nt"
    """On Windows it would allow two servers on one port."""

    def __init__(self, port: int, context: ssl.SSLContext, find: Find) -> None:
        """Listen on ``port`` of 127.0.0.1 (0: any free one) and answer with what ``find`` finds.

        Raises:
            OSError: the port is taken.
        """
        super().__init__(("127.0.0.1", port), _Handler)
        self.find = find
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._instructions: list[_Instruction] = []
        self._lock = threading.Lock()
        # The handshake happens in the connection's own thread: a client that stalls in it blocks no other.
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def instruct(self, pattern: str, behaviour: Behaviour, times: int | None) -> None:
        """Misbehave on paths that match ``pattern``, ``times`` times or always; the last match counts."""
        with self._lock:
            self._instructions.insert(0, _Instruction(pattern, behaviour, times))

    def behave(self) -> None:
        """Forget all instructions."""
        with self._lock:
            self._instructions.clear()

    def behaviour(self, path: str) -> Behaviour | None:
        """Take the instruction for ``path``, and count that it was followed."""
        with self._lock:
            for instruction in self._instructions:
                if instruction.left != 0 and fnmatchcase(path, instruction.pattern):
                    if instruction.left is not None:
                        instruction.left -= 1
                    return instruction.behaviour
        return None

    def stop(self) -> None:
        """Stop answering, and release the clients of stalled answers."""
        self.stopping.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing: a client that hangs up or refuses the certificate is expected here."""


class _Handler(BaseHTTPRequestHandler):
    """One connection; answers as ``server`` finds and is instructed."""

    protocol_version = "HTTP/1.1"
    server_version = "LAB"
    sys_version = ""
    server: Server
    timeout = 120

    def do_GET(self) -> None:
        path = self._note()
        behaviour = self.server.behaviour(path)
        match behaviour:
            case bad.Status():
                self._answer(behaviour.code, behaviour.headers, behaviour.body)
            case bad.Redirect():
                self._answer(behaviour.code, {"Location": behaviour.location}, b"")
            case bad.Portal():
                self._answer(200, {"Content-Type": "text/html; charset=utf-8"}, bad.PORTAL)
            case bad.Instead():
                self._content(Content(behaviour.body), None)
            case _:
                self._true_answer(path, behaviour)

    def do_HEAD(self) -> None:
        self._note()
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Log nothing: ``server.requests`` is the log."""

    def _note(self) -> str:
        """Log the request, and return its path alone."""
        headers = self.headers.get("Range", ""), self.headers.get("Cache-Control", "")
        self.server.requests.append(Request(self.command, self.path, *headers))
        return unquote(urlsplit(self.path).path)

    def _true_answer(self, path: str, behaviour: Behaviour | None) -> None:
        found = self.server.find(path)
        if isinstance(found, Content):
            self._content(found, behaviour)
        elif isinstance(found, Moved):
            host = self.headers.get("Host") or f"localhost:{self.server.server_port}"
            self._answer(302, {"Location": f"https://{host}{found.path}"}, b"")
        else:
            self._answer(404, {"Content-Type": "text/plain"}, b"LAB: there is no such thing here\n")

    def _answer(self, code: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(code)
        for name, held in headers.items():
            self.send_header(name, held)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _content(self, content: Content, behaviour: Behaviour | None) -> None:
        """Answer with the content, or the part of it that was asked for (RFC 9110, sections 13.1.5 and 14)."""
        body, tag = content.body, f'"{sha256(content.body)[:32]}"'
        headers = {"Content-Type": content.media_type, "ETag": tag, "Accept-Ranges": "bytes"}
        if self.headers.get("If-None-Match") == tag:
            self._answer(304, {"ETag": tag}, b"")
            return
        wanted = None if isinstance(behaviour, bad.IgnoreRange) else self._wanted(tag, len(body))
        if wanted is None:
            self._body(200, headers, body, behaviour)
            return
        first, last = wanted
        if first >= len(body) or first > last:
            self._answer(416, {"Content-Range": f"bytes */{len(body)}"}, b"")
            return
        headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
        self._body(206, headers, body[first : last + 1], behaviour)

    def _wanted(self, tag: str, size: int) -> tuple[int, int] | None:
        """First and last byte of the one range asked for, unless ``If-Range`` names another state of the content.

        ``a-b``, ``a-``, or ``-n`` for the last n bytes.
        """
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "").strip())
        if self.headers.get("If-Range", tag) != tag or not found:
            return None
        first, last = found.groups()
        if not first:
            return max(0, size - int(last or 0)), size - 1
        return int(first), min(int(last or size), size - 1)

    def _body(self, code: int, headers: Mapping[str, str], body: bytes, behaviour: Behaviour | None) -> None:
        promised = len(body) + (behaviour.more if isinstance(behaviour, bad.WrongLength) else 0)
        self.send_response(code)
        for name, held in headers.items():
            self.send_header(name, held)
        self.send_header("Content-Length", str(max(0, promised)))
        self.end_headers()
        match behaviour:
            case bad.Truncated():
                self._part(body, behaviour.after)
            case bad.Reset():
                self._part(body, behaviour.after)
                self._reset()
            case bad.Stalled():
                self._part(body, behaviour.after)
                self.server.stopping.wait()
            case bad.WrongLength():
                self._part(body, len(body))
            case bad.Slow():
                self._slowly(body, behaviour.bytes_per_second)
            case _:
                self.wfile.write(body)

    def _part(self, body: bytes, size: int) -> None:
        """Send the beginning alone, and let the connection end after it."""
        self.close_connection = True
        self.wfile.write(body[:size])

    def _reset(self) -> None:
        """Make closing send a reset: no lingering (socket(7), SO_LINGER), and no closing alert of TLS."""
        time.sleep(_DELIVERY)
        plain = socket.socket(fileno=self.connection.detach())
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
        plain.close()

    def _slowly(self, body: bytes, rate: int) -> None:
        step = max(1, min(_PIECE, rate // 10))
        for at in range(0, len(body), step):
            if self.server.stopping.is_set():
                self.close_connection = True
                return
            self.wfile.write(body[at : at + step])
            time.sleep(step / rate)
