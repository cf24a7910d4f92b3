"""Where this user's cache is, also for a user without a home folder (any uid in a container)."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from bundler.errors import UsageError

_NAME = "arc-bundler"


def cache_folder(environment: Mapping[str, str]) -> Path:
    """The folder for what can be downloaded again; it may not exist yet.

    Raises:
        UsageError: the system names no folder for this user.
    """
    found = _native() if sys.platform in ("win32", "darwin") else _by_xdg(environment)
    if not found.is_absolute():
        raise UsageError(
            "this user has no home folder, so there is no place for the cache",
            do="name one with `--store DIR` or ARC_BUNDLER_STORE, or set HOME",
        )
    return found


def _native() -> Path:
    from platformdirs import user_cache_path

    try:
        return user_cache_path(_NAME, appauthor=False)
    except RuntimeError:  # no home folder can be found
        return Path()


def _by_xdg(environment: Mapping[str, str]) -> Path:
    """XDG Base Directory Specification 0.8, "Basics": a path that is not absolute is ignored."""
    named = Path(environment.get("XDG_CACHE_HOME", ""))
    return named / _NAME if named.is_absolute() else _home(environment) / ".cache" / _NAME


def _home(environment: Mapping[str, str]) -> Path:
    """HOME, otherwise that of the user database; a relative path where there is none."""
    named = Path(environment.get("HOME", ""))
    if named.is_absolute():
        return named
    import os
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path()
