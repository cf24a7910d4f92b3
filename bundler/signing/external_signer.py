"""How does a program of somebody else's sign? A key service's client, a smartcard's, anything.

The program is started for each file that is signed, never through a shell. It gets the file on its standard input,
and in its environment ``ARC_BUNDLER_DIGEST`` (the file's digest, hex) and ``ARC_BUNDLER_ALGORITHM`` (``rsa-sha256``,
``ecdsa-sha256`` or ``ecdsa-sha384``); it prints the signature and ends with 0.
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
"""Bytes: a signature of 512, as hex, with much room."""
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

_LOG = logging.getLogger(__name__)
"""Secrets of ours that are none of the program's business."""


@dataclass(frozen=True)
class _Outcome:
    code: int | None
    """None where it was killed."""
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
        told = {name: value for name, value in self.environment.items() if name not in _KEPT_BACK}
        told |= {"ARC_BUNDLER_DIGEST": digest, "ARC_BUNDLER_ALGORITHM": self.algorithm}
        outcome = _Run(self.arguments, told).result(content, self.limit)
        _LOG.debug("%s: exit code %s, %d bytes of output", self.arguments[0], outcome.code, len(outcome.stdout))
        self._refuse(outcome)
        shaped = list(encodings(outcome.stdout, self.certificates[0]))
        if not shaped:
            raise self._failed("printed something that is no signature of this key's kind", outcome)
        for signature in shaped:
            if verifies(self.certificates[0], self.algorithm, signature, content):
                return signature
        raise self._failed(
            "printed a signature that its certificate does not verify",
            outcome,
            do="see that the certificate is the one of the program's key, and that it signs what it is given",
        )

    def _refuse(self, outcome: _Outcome) -> None:
        if len(outcome.stdout) > _MAX_STDOUT:
            raise self._failed(f"printed more than {_MAX_STDOUT} bytes", outcome)
        if outcome.code is None:
            raise self._failed(f"did not end within {self.limit:g} seconds, and was ended", outcome)
        if outcome.code:
            raise self._failed(f"ended with code {outcome.code}", outcome)
        if not outcome.stdout.strip():
            raise self._failed("printed nothing", outcome)

    def _failed(self, what: str, outcome: _Outcome, *, do: str = _BY_HAND) -> SigningError:
        lines = outcome.stderr.decode("utf-8", "replace").splitlines()
        said = [ascii(line.rstrip())[1:-1][:200] for line in lines if line.strip()][:_LINES_SHOWN]
        return SigningError(
            f"the sealing command {self.arguments[0]} {what}",
            details=[f"it said: {line}" for line in said],
            do=do,
        )


def read(command: str, certificate_file: Path, *, environment: Mapping[str, str], limit: float) -> SigningKey:
    """Make a key of ``command``, whose certificate, with its issuers, is in ``certificate_file``.

    The command line is split as a POSIX shell splits words (:func:`shlex.split`); nothing else of a shell is done.
    ``limit``: seconds for one signature. Raises :class:`UsageError` for a command that cannot be split,
    :class:`SigningError` for the certificate.
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
    """One run of the program: fed, listened to, and ended with all that it started."""

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
            thread.join(timeout=1)  # one that fled its group may hold the pipe open: it is not waited for
        return _Outcome(code, bytes(self._stdout), bytes(self._stderr))

    def _wait(self, threads: list[threading.Thread], until: float) -> int | None:
        """Wait for the program, and for what it started and left behind with its standard output."""
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
        """End the program with its children: on POSIX its session's group, on Windows its tree."""
        if os.name == "nt":
            tree = ["taskkill", "/T", "/F", "/PID", str(self._process.pid)]
            if self._process.poll() is None:
                subprocess.run(tree, check=False, capture_output=True)  # noqa: S603
        else:
            _end_group(self._process.pid)
        self._process.kill()
        self._process.wait()


def _end_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a group whose last member is dead
        return


def _feed(pipe: IO[bytes], content: bytes) -> None:
    try:
        with pipe:
            pipe.write(content)
    except OSError:  # it needs the digest alone, and ended without reading
        return


def _drain(pipe: IO[bytes], into: bytearray) -> None:
    """Take all that is said, so that the program is not held up, and keep the beginning."""
    while piece := _piece(pipe):
        into += piece[: _MAX_STDERR - len(into)]


def _piece(pipe: IO[bytes]) -> bytes:
    try:
        return os.read(pipe.fileno(), 1 << 14)
    except (OSError, ValueError):
        return b""
