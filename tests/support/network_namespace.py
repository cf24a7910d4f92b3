"""A network of its own for one server: a namespace with addresses that answer, drop, inspect TLS or offer a proxy.

Run as a program (by :class:`Network`, inside the namespace) it is everything that answers there.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

PUBLIC, PRIVATE, INSPECTED, OLD_TLS, DROPPED, REFUSED, STALLED, WEAK = (
    "20.1.1.1", "10.1.1.1", "20.1.1.3", "20.1.1.4", "20.1.1.5", "20.1.1.6", "20.1.1.7", "20.1.1.8",
)  # fmt: skip
BRIDGED, UNBRIDGED, NEGATIVE = "20.1.1.9", "20.1.1.10", "20.1.1.11"
"""Chains below the lab's new root, with and without the bridge to MICROSOFT; a negative serial number."""
CHAINS = {BRIDGED: "new-root", UNBRIDGED: "new-root-unbridged", NEGATIVE: "negative-serial"}
PROXY, METADATA, LOCAL = "10.1.1.9", "169.254.169.254", "127.0.0.1"
MICROSOFT, INSPECTOR = "Microsoft Corporation", "LAB Inspection"


@dataclass
class Network:
    """One namespace and what answers in it."""

    name: str
    folder: Path
    process: subprocess.Popen | None = None

    @property
    def path(self) -> str:
        return f"/run/netns/{self.name}"

    def start(self, hosts: list[str], **more) -> None:
        """Answer for ``hosts``; ``skew`` moves the clock of the answers, ``azure`` plays Azure's metadata service,
        ``plain`` answers HTTP at the public address, ``identity`` names the folder that stands for the server's root
        and plays the agent's token endpoint, ``gateway`` plays its proxy."""
        certify(self.folder, hosts)
        _ip("netns", "add", self.name)
        self._ip("link", "set", "lo", "up")
        here = (PUBLIC, PRIVATE, INSPECTED, OLD_TLS, DROPPED, REFUSED, STALLED, WEAK, PROXY, METADATA)
        for address in (*here, *CHAINS):
            self._ip("addr", "add", f"{address}/32", "dev", "lo")
        words = json.dumps({"folder": str(self.folder), **more})
        self.process = subprocess.Popen(
            ["nsenter", f"--net={self.path}", sys.executable, __file__, words], stdout=subprocess.PIPE
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == b"ready\n"

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            assert self.process.stdout
            self.process.stdout.close()
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)

    def _ip(self, *words: str) -> None:
        _ip("-n", self.name, *words)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def possible() -> str:
    """Why such a network cannot be made here; empty where it can."""
    if os.name != "posix" or os.geteuid() != 0:
        return "needs root, to make a network namespace"
    missing = [tool for tool in ("ip", "nsenter", "openssl", "getent") if shutil.which(tool) is None]
    if missing:
        return f"needs {missing[0]}"
    name = f"arc-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return "" if made.returncode == 0 else "needs the right to make network namespaces"


def certify(folder: Path, hosts: list[str]) -> None:
    """Two authorities, and for each a certificate for all ``hosts``: ``<organisation>.pem`` and ``.ca.pem``."""
    from datetime import datetime, timedelta, timezone

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509.oid import NameOID

    now = datetime.now(timezone.utc)
    pem = serialization.Encoding.PEM

    def named(organisation: str, common: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
                x509.NameAttribute(NameOID.COMMON_NAME, common),
            ]
        )

    def certificate(subject, issuer, key, signer, extension) -> x509.Certificate:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number()).add_extension(extension, critical=True)
        made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
        return made.sign(signer, hashes.SHA256())

    for organisation in (MICROSOFT, INSPECTOR):
        top = ec.generate_private_key(ec.SECP256R1())
        root = named(organisation, "LAB root")
        authority = certificate(root, root, top, top, x509.BasicConstraints(ca=True, path_length=None))
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        for kind, key in (
            ("", ec.generate_private_key(ec.SECP256R1())),
            (".rsa", rsa.generate_private_key(65537, 2048)),
        ):
            leaf = certificate(named("LAB", "server"), root, key, top, names)
            kept = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            (folder / f"{organisation}{kind}.pem").write_bytes(leaf.public_bytes(pem) + kept)
        (folder / f"{organisation}.ca.pem").write_bytes(authority.public_bytes(pem))
        if organisation == MICROSOFT:
            _chains(folder, authority, top, hosts)


def _chains(folder: Path, authority, key, hosts: list[str]) -> None:
    """The lab's chains below ``authority``: ``<kind>.pem``, and the new root: ``new-root.ca.pem``."""
    from bundler.lab import tls_chains
    from bundler.lab.key_store import Identity, KeyStore

    keys, older, since = KeyStore(folder), Identity(authority, key), authority.not_valid_before_utc
    for kind in CHAINS.values():
        (folder / f"{kind}.pem").write_bytes(tls_chains.served(kind, older, since, keys, hosts))
    (folder / "new-root.ca.pem").write_text(tls_chains.new_root(older, since, keys).root.pem())


# ---- What answers ----


def _listen(address: str, port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    made.listen(64)
    return made


def _serve(address: str, port: int, answer) -> None:
    listening = _listen(address, port)

    def one(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(20)
            answer(connection)

    def loop() -> None:
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


def _drop(address: str, port: int) -> list[socket.socket]:
    """A full queue: the kernel drops every further SYN without a word, as a firewall does."""
    listening = socket.socket()
    listening.bind((address, port))
    listening.listen(0)
    held = [listening]
    for _ in range(4):
        knocking = socket.socket()
        knocking.setblocking(False)
        knocking.connect_ex((address, port))
        held.append(knocking)
    return held


def _head(connection) -> bytes:
    said = b""
    while b"\r\n\r\n" not in said:
        more = connection.recv(4096)
        if not more:
            break
        said += more
    return said


def _tls(folder: str, organisation: str, version: ssl.TLSVersion, skew: float, ciphers: str = ""):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/{organisation}.pem")
    context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    if version < ssl.TLSVersion.TLSv1_2:
        context.minimum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            if _head(secured):
                date = formatdate(time.time() + skew, usegmt=True)
                secured.sendall(
                    f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
                )

    return answer


def _proxy(connection: socket.socket) -> None:
    method, target, _ = _head(connection).split(b" ", 2)
    host, _, port = target.decode().rpartition(":")
    if method != b"CONNECT" or host == "forbidden.example":
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        return
    if host == "steering.example":
        connection.sendall(b"HTTP/1.1 403 \x1b]0;yours\x07\x1b[2J\x9b1A\xc2\x9b31mall is well\r\n\r\n")
        return
    with socket.create_connection((PUBLIC, int(port))) as other:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        pair = {connection: other, other: connection}
        while True:
            for ready in select.select(list(pair), [], [], 20)[0]:
                data = ready.recv(65536)
                if not data:
                    return
                pair[ready].sendall(data)


def _plain(connection: socket.socket) -> None:
    if _head(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def _metadata(connection: socket.socket) -> None:
    said = _head(connection)
    assert b"Metadata: true" in said
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nAzurePublicCloud")


def _identity(root: str):
    def answer(connection: socket.socket) -> None:
        said = _head(connection).decode()
        token = Path(root, "var/opt/azcmagent/tokens/one.key")
        Path(root, "asked").write_text(said.partition("\r\n")[0])
        if "Authorization: Basic kEy-cAn4ry" in said:
            connection.sendall(b'HTTP/1.1 200 OK\r\n\r\n{"access_token":"t0ken-cAn4ry","token_type":"Bearer"}')
        else:
            token.parent.mkdir(parents=True, exist_ok=True)
            token.write_text("kEy-cAn4ry")
            connection.sendall(
                b"HTTP/1.1 401 Unauthorized\r\nWww-Authenticate: Basic realm=/var/opt/azcmagent/tokens/one.key\r\n\r\n"
            )

    return answer


def _main(words: Mapping) -> None:
    folder, skew = words["folder"], words.get("skew", 0)
    for address in (PUBLIC, PRIVATE):
        _serve(address, 443, _tls(folder, MICROSOFT, ssl.TLSVersion.TLSv1_3, skew))
    _serve(INSPECTED, 443, _tls(folder, INSPECTOR, ssl.TLSVersion.TLSv1_2, skew))
    _serve(OLD_TLS, 443, _tls(folder, MICROSOFT, ssl.TLSVersion.TLSv1_1, skew))
    _serve(WEAK, 443, _tls(folder, f"{MICROSOFT}.rsa", ssl.TLSVersion.TLSv1_2, skew, "AES256-GCM-SHA384"))
    for address, kind in CHAINS.items():
        _serve(address, 443, _tls(folder, kind, ssl.TLSVersion.TLSv1_3, skew))
    _serve(STALLED, 443, lambda connection: connection.recv(1) and time.sleep(60))
    held = _drop(DROPPED, 443)
    assert held
    _serve(PROXY, 3128, _proxy)
    if words.get("plain"):
        _serve(PUBLIC, 80, _plain)
    if words.get("azure"):
        _serve(METADATA, 80, _metadata)
    if words.get("gateway"):
        _serve(LOCAL, 40343, _proxy)
    if words.get("identity"):
        _serve(LOCAL, 40342, _identity(words["identity"]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
