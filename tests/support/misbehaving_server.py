"""A real HTTPS server on 127.0.0.1, with authorities of its own, that misbehaves as it is told; and a CONNECT proxy."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = dt.datetime.now(dt.timezone.utc)
DAY = dt.timedelta(days=1)
LONG_AGO = format_datetime(NOW - 30 * DAY, usegmt=True)


@dataclass(frozen=True)
class Authority:
    """A certificate authority with its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@cache
def authority(name: str) -> Authority:
    """The authority called ``name``, made once a run."""
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 400 * DAY)
        .not_valid_after(NOW + 400 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Authority(key, builder.sign(key, hashes.SHA256()))


@cache
def _leaf(issuer: str, host: str, ends: int) -> bytes:
    """Key and certificate for ``host``, which may be an address; valid until ``ends`` days from now."""
    ca, key = authority(issuer), ec.generate_private_key(ec.SECP256R1())
    try:
        name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        name = x509.DNSName(host)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(host))
        .issuer_name(ca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 300 * DAY)
        .not_valid_after(NOW + ends * DAY)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.key.public_key()), critical=False)
        .sign(ca.key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem)


class Exchange(BaseHTTPRequestHandler):
    """One request and what is said to it."""

    protocol_version = "HTTP/1.1"
    server: MisbehavingServer

    def setup(self) -> None:
        self.request.settimeout(20)
        with suppress(OSError):
            self.request.do_handshake()
        super().setup()

    def handle(self) -> None:
        with suppress(OSError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        self.server.asked.append(Asked(self.path, dict(self.headers.items())))
        self.server.next_step(self.path)(self)

    def log_message(self, *args: object) -> None: ...

    def answer(self, status: int, body: bytes = b"", length: int | None = None, **headers: str) -> None:
        """Status, headers and ``body``; ``length`` is what ``Content-Length`` claims, the body's if not given."""
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.write(body)

    def write(self, body: bytes) -> None:
        """Send it, counted."""
        for start in range(0, len(body), 65536):
            piece = body[start : start + 65536]
            self.wfile.write(piece)
            self.wfile.flush()
            self.server.sent += len(piece)

    def hang_up(self) -> None:
        """End the connection in order."""
        self.close_connection = True

    def reset(self) -> None:
        """End the connection with RST."""
        self.close_connection = True
        raw = socket.socket(fileno=self.request.detach())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raw.close()


@dataclass(frozen=True)
class Asked:
    """A request that arrived."""

    path: str
    headers: dict[str, str]


Step = Callable[[Exchange], None]


@dataclass
class File:
    """A file that is served as it should be, with ranges and validators, until a fault is put in."""

    content: bytes
    etag: str = '"one"'
    last_modified: str = LONG_AGO
    ranges: bool = True
    content_type: str = "application/octet-stream"
    cut: int | None = None
    """Bytes of each body that are sent before ``ending``; None: all."""
    ending: Callable[[Exchange], None] = field(default=Exchange.hang_up)
    pause: float = 0.0
    """Seconds between pieces of 64 KiB, to give others time to kill."""

    def __call__(self, exchange: Exchange) -> None:
        start = self._start(exchange)
        headers = {"ETag": self.etag, "Last_Modified": self.last_modified, "Content_Type": self.content_type}
        headers = {name: text for name, text in headers.items() if text}
        body = self.content[start or 0 :]
        if start is not None:
            if start >= len(self.content):
                exchange.answer(416, Content_Range=f"bytes */{len(self.content)}")
                return
            headers["Content_Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        status = 200 if start is None else 206
        exchange.answer(status, b"", len(body), **headers)
        if self.cut is not None and self.cut < len(body):
            exchange.write(body[: self.cut])
            self.ending(exchange)
            return
        for at in range(0, len(body), 65536):
            exchange.write(body[at : at + 65536])
            exchange.server.stop.wait(self.pause)

    def _start(self, exchange: Exchange) -> int | None:
        asked = exchange.headers.get("Range", "")
        if not self.ranges or not asked.startswith("bytes="):
            return None
        condition = exchange.headers.get("If-Range")
        if condition not in (None, self.etag, self.last_modified):
            return None
        return int(asked[6:].partition("-")[0])


def stall(exchange: Exchange) -> None:
    """Say nothing more until the server ends."""
    exchange.server.stop.wait(20)
    exchange.close_connection = True


def status(code: int, body: bytes = b"no", **headers: str) -> Step:
    """Answer with ``code``."""
    return lambda exchange: exchange.answer(code, body, **headers)


def redirect(location: str, code: int = 302) -> Step:
    """Lead to ``location``."""
    return status(code, b"", Location=location)


class MisbehavingServer(ThreadingHTTPServer):
    """Serves ``plan``: for each path the steps in order, the last one again and again."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, issuer: str, host: str, ends: int, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.plan: dict[str, list[Step]] = {}
        self.asked: list[Asked] = []
        self.sent = 0
        """Bytes of bodies that were written."""
        self.stop = threading.Event()
        self._lock = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pem = folder / f"server-{self.server_port}.pem"
        pem.write_bytes(_leaf(issuer, host, ends))
        context.load_cert_chain(pem)
        self._context = context

    def get_request(self) -> tuple[ssl.SSLSocket, object]:
        raw, address = self.socket.accept()
        return self._context.wrap_socket(raw, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: object, client_address: object) -> None: ...

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def url(self, path: str) -> str:
        return f"https://{self.host}{path}"

    def next_step(self, path: str) -> Step:
        with self._lock:
            steps = self.plan.get(path, [status(404)])
            return steps.pop(0) if len(steps) > 1 else steps[0]


@contextmanager
def serving(
    folder: Path, *, issuer: str = "LAB test authority", host: str = "127.0.0.1", ends: int = 30
) -> Iterator[MisbehavingServer]:
    """A server with a certificate of ``issuer`` for ``host``, until the block ends."""
    server = MisbehavingServer(issuer, host, ends, folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stop.set()
        server.shutdown()
        server.server_close()
        thread.join()


class ConnectProxy(ThreadingHTTPServer):
    """An HTTP proxy that knows CONNECT; ``credentials`` (``user:password``) are demanded where given."""

    daemon_threads = True

    def __init__(self, credentials: str = "", answer: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.credentials, self.answer = credentials, answer
        self.tunnels: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Tunnel(BaseHTTPRequestHandler):
    server: ConnectProxy

    def log_message(self, *args: object) -> None: ...

    def do_CONNECT(self) -> None:
        wanted = self.server.credentials
        given = self.headers.get("Proxy-Authorization", "")
        if wanted and given != "Basic " + base64.b64encode(wanted.encode()).decode():
            self.send_error(407)
            return
        if self.server.answer != 200:
            self.send_error(self.server.answer)
            return
        self.server.tunnels.append(self.path)
        host, _, port = self.path.partition(":")
        with socket.create_connection((host, int(port))) as far:
            self.send_response(200)
            self.end_headers()
            _relay(self.connection, far)


def _relay(near: socket.socket, far: socket.socket) -> None:
    ends = {near: far, far: near}
    while True:
        for ready in select.select(list(ends), [], [], 20)[0]:
            try:
                piece = ready.recv(65536)
            except OSError:
                return
            if not piece:
                return
            ends[ready].sendall(piece)


@contextmanager
def proxying(credentials: str = "", answer: int = 200) -> Iterator[ConnectProxy]:
    """A proxy until the block ends."""
    proxy = ConnectProxy(credentials, answer)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        thread.join()
