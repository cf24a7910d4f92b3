"""What the test processes of one run make once and share: keys, and folders that take long to make.

The first process (pytest itself, before it starts its workers) makes a private folder and hands its name on in the
environment; it removes the folder when it ends. Whoever needs a thing first makes it under a lock, the others read it.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from filelock import FileLock

_FOLDER = "BUNDLER_TESTS_FOLDER"
_BEGUN = "BUNDLER_TESTS_BEGUN"

Made = TypeVar("Made")


def begin() -> Path:
    """The run's folder. Its first caller makes it, and removes it at its own end."""
    if _FOLDER not in os.environ:
        made = tempfile.mkdtemp(prefix="arc-bundler-tests-")
        os.environ[_FOLDER] = made
        owner = os.getpid()
        # A forked child has this handler, too.
        atexit.register(lambda: shutil.rmtree(made, ignore_errors=True) if os.getpid() == owner else None)
    return Path(os.environ[_FOLDER])


def now() -> datetime:
    """When the run began, in whole seconds; the same moment in all of its processes."""
    begun = os.environ.setdefault(_BEGUN, datetime.now(timezone.utc).replace(microsecond=0).isoformat())
    return datetime.fromisoformat(begun)


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The file or folder that ``name`` means in this run: what ``make`` wrote to the path that it was given.

    Callers must not change what they get.
    """
    readable = re.sub(r"\W+", "-", name, flags=re.ASCII)[:40]
    place = begin() / f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    if not place.exists():
        with FileLock(f"{place}.lock"):
            if not place.exists():
                unfinished = place.with_name(f"{place.name}.unfinished")
                make(unfinished)
                unfinished.rename(place)
    return place


def private_key(name: str, generate: Callable[[], Made]) -> Made:
    """The private key called ``name`` of this run; ``generate`` makes it where it is not there yet."""

    def make(path: Path) -> None:
        path.write_bytes(
            generate().private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )

    return serialization.load_der_private_key(once(f"{name}.key", make).read_bytes(), None)


def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """An RSA key of this run; equal names of equal length are equal keys."""
    return private_key(f"rsa-{bits}-{name}", lambda: rsa.generate_private_key(65537, bits))
