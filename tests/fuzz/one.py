"""Fuzzes one target, or gives it one input again.

``python -m tests.fuzz.one TARGET`` and libFuzzer's arguments: with atheris.
``python -m tests.fuzz.one TARGET --input FILE``: without atheris; shows what that input does.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.targets import TARGETS, Target

MEMORY = 1 << 30
"""Bytes of address space beyond what the imports took: far more than any parser's own limits let it take."""


class Fault(Exception):
    """A parser raised something else than the errors that it documents."""


def limit_memory() -> None:
    """Let this process have :data:`MEMORY` more; what needs more raises MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def checked(target: Target) -> Callable[[bytes], None]:
    """The target as a function that raises :class:`Fault` for a fault, and nothing otherwise."""
    read, answers = target.load()

    def call(document: bytes) -> None:
        try:
            read(document)
        except answers:
            return
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            raise Fault(f"{target.name}: {type(error).__name__}: {error}") from error

    return call


def _again(target: Target, place: str) -> int:
    call = checked(target)
    limit_memory()
    call(Path(place).read_bytes())
    sys.stdout.write(f"{target.name}: {place} is read or refused as it should be\n")
    return 0


def _fuzz(target: Target, arguments: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(include=["bundler"]):
        call = checked(target)
    atheris.Setup([f"fuzz-{target.name}", *arguments], call)
    limit_memory()
    atheris.Fuzz()


def main(arguments: list[str]) -> int:
    """Fuzz, or repeat one input; returns 0 where nothing was found. libFuzzer ends the process itself otherwise."""
    target = TARGETS[arguments[0]]
    if arguments[1:2] == ["--input"]:
        return _again(target, arguments[2])
    _fuzz(target, arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
