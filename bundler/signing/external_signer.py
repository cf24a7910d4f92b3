"""Signs with an external program: the client of a key service, a smartcard's, or any other.

The program is started for each file, never through a shell. It gets the file on its standard input, and in its
environment ``ARC_BUNDLER_DIGEST`` (the file's digest, hex) and ``ARC_BUNDLER_ALGORITHM`` (``rsa-sha256``,
``ecdsa-sha256`` or ``ecdsa-sha384``). It prints the signature and exits with 0.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography import x509

from bundler.errors import SigningError, UsageError
from bundler.formats.signature_encoding import encodings
from bundler.model.seal import Algorithm
from bundler.signing import certificates
from bundler.signing.signing_key import SigningKey, checked
from bundler.trust import certificate_policy
from bundler.trust.public_key import digest_of, verifies

_MAX_STDOUT = 1 << 16
"""Bytes; a signature of 512 bytes as hex, with ample room."""
_MAX_STDERR = 1 << 13
_BY_HAND = "run it by hand with a file on its standard input, and the two variables (docs/sealing.md)"
_LINES_SHOWN = 5
_KEPT_BACK = (
    "ARC_BUNDLER_SEAL_PASSPHRASE",
    "ARC_BUNDLER_SCRIPT_PASSPHRASE",
    "ARC_BUNDLER_OPENPGP_PASSPHRASE",
    "ARC_BUNDLER_PASSWORD",
    "ARC_BUNDLER_SECRET",
)
"""Secrets that are not passed on to the program."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Outcome:
    code: int | None
    """None if it was killed."""
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True)
class _CommandKey:
    certificates: tuple[x509.Certificate, ...]
    algorithm: Algorithm
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    limit: float

    def sign(self, content: bytes) -> bytes:
        digest = hashlib.new(digest_of(self.algorithm).name, content).hexdigest()
        environment = {name: value for name, value in self.environment.items() if name not in _KEPT_BACK}
        environment |= {"ARC_BUNDLER_DIGEST": digest, "ARC_BUNDLER_ALGORITHM": self.algorithm}
        outcome = _Run(self.arguments, environment).result(content, self.limit)
        _LOG.debug("%s: exit code %s, %d bytes of output", self.arguments[0], outcome.code, len(outcome.stdout))
        self._refuse(outcome)
        candidates = list(encodings(outcome.stdout, self.certificates[0]))
        if not candidates:
            raise self._failed("printed no signature of this key's kind", outcome)
        for signature in candidates:
            if verifies(self.certificates[0], self.algorithm, signature, content):
                return signature
        raise self._failed(
            "printed a signature that does not verify with its certificate",
            outcome,
            do="check that the certificate is the one of the program's key, and that it signs its standard input",
        )

    def _refuse(self, outcome: _Outcome) -> None:
        if len(outcome.stdout) > _MAX_STDOUT:
            raise self._failed(f"printed more than {_MAX_STDOUT} bytes", outcome)
        if outcome.code is None:
            raise self._failed(f"did not end within {self.limit:g} seconds and was stopped", outcome)
        if outcome.code:
            raise self._failed(f"ended with code {outcome.code}", outcome)
        if not outcome.stdout.strip():
            raise self._failed("printed nothing", outcome)

    def _failed(self, what: str, outcome: _Outcome, *, do: str = _BY_HAND) -> SigningError:
        lines = outcome.stderr.decode("utf-8", "replace").splitlines()
        shown = [ascii(line.rstrip())[1:-1][:200] for line in lines if line.strip()][:_LINES_SHOWN]
        return SigningError(
            f"the sealing command {self.arguments[0]} {what}",
            details=[f"its output: {line}" for line in shown],
            do=do,
        )


def read(command: str, certificate_file: Path, *, environment: Mapping[str, str], limit: float) -> SigningKey:
    """Make a signing key of a program.

    Args:
        command: split into words as a POSIX shell does (:func:`shlex.split`), and nothing else of a shell.
        certificate_file: the certificate of its key, with its issuers.
        environment: of the program; secrets in it are not passed on.
        limit: seconds for one signature.

    Raises:
        UsageError: the command cannot be split.
        SigningError: the certificate cannot be used.
    """
    try:
        arguments = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"the sealing command cannot be split into words: {error}", do="close its quotes") from None
    if not arguments or "\0" in command:
        raise UsageError("the sealing command is empty", do="name a program")
    chain = certificates.chain_of_leaf(certificates.read(certificate_file), certificate_file)
    algorithm = certificate_policy.algorithm_of(chain[0])
    return checked(_CommandKey(chain, algorithm, arguments, environment, limit))


class _Run:
    """One run of the program: feeds it, collects its output, and stops it with all that it started.

    1. Three threads feed its input and drain both outputs, so that no full pipe can block it.
    2. It is awaited until the limit, and so is every child that still has its standard output open.
    3. At the end its whole process group is killed, so that nothing of it stays behind.
    """

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the program that the person named, without a shell
                arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise SigningError(
                f"the sealing command {arguments[0]} does not start: {getattr(error, 'strerror', '') or error}",
                do="give the path of a program that may be executed",
            ) from error
        self._stdout, self._stderr = bytearray(), bytearray()

    def result(self, content: bytes, limit: float) -> _Outcome:
        """Let it sign ``content`` in at most ``limit`` seconds."""
        process = self._process
        until = time.monotonic() + limit
        threads = [
            threading.Thread(target=_feed, args=(process.stdin, content), daemon=True),
            threading.Thread(target=self._listen, args=(process.stdout,), daemon=True),
            threading.Thread(target=_drain, args=(process.stderr, self._stderr), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            code = self._wait(threads, until)
        finally:
            self._end()
        for thread in threads:
            thread.join(timeout=1)  # a child that left the group may hold the pipe open: do not wait for it
        return _Outcome(code, bytes(self._stdout), bytes(self._stderr))

    def _wait(self, threads: list[threading.Thread], until: float) -> int | None:
        """Wait for the program, and for children that still have its standard output open."""
        try:
            code = self._process.wait(timeout=max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None
        for thread in threads[1:]:
            thread.join(timeout=max(0.0, until - time.monotonic()))
        return None if threads[1].is_alive() else code

    def _listen(self, pipe: IO[bytes]) -> None:
        while len(self._stdout) <= _MAX_STDOUT:
            piece = _piece(pipe)
            if not piece:
                return
            self._stdout += piece
        self._end()

    def _end(self) -> None:
        """Kill the program with its children: on POSIX its process group, on Windows its tree."""
        if os.name == "nt":
            tree = ["taskkill", "/T", "/F", "/PID", str(self._process.pid)]
            if self._process.poll() is None:
                subprocess.run(tree, check=False, capture_output=True)  # noqa: S603
        else:
            # macOS raises PermissionError if the last member of the group is dead.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()


def _feed(pipe: IO[bytes], content: bytes) -> None:
    try:
        with pipe:
            pipe.write(content)
    except OSError:  # it uses only the digest, and ended without reading
        return


def _drain(pipe: IO[bytes], into: bytearray) -> None:
    """Read all output, so that the program is not blocked, and keep the beginning."""
    while piece := _piece(pipe):
        into += piece[: _MAX_STDERR - len(into)]


def _piece(pipe: IO[bytes]) -> bytes:
    try:
        return os.read(pipe.fileno(), 1 << 14)
    except (OSError, ValueError):
        return b""
