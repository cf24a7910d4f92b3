"""Which variables may hold a secret: their values are kept out of every message, also where they stand wrongly."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from bundler.cli import held_secrets

PREFIX = "ARC_BUNDLER_"
SECRET_VARIABLES = ("SECRET", "PASSWORD", "SEAL_PASSPHRASE", "OPENPGP_PASSPHRASE", "SCRIPT_PASSPHRASE")
"""Those that hold one by their meaning, without their prefix."""
_LOOKS_SECRET = re.compile(r"PASS|PWD|SECRET|TOKEN|PIN|KEY|CRED")
_SWITCH = {"", "0", "1", "true", "false", "t", "f", "yes", "no", "y", "n", "on", "off"}
"""Words of click's boolean options: to leave them out of messages would tear holes into other words."""
_PATH = re.compile(
    r"[^\n]*[/\\][^\n]*|[\w .-]+\.(pem|key|p8|p12|pfx|der|cer|crt|asc|gpg|pgp|txt|envelope)", re.IGNORECASE
)
"""What people type for a file that may be missing; anything else may be the secret itself."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "ARC_BUNDLER_PROXY")
"""Addresses that may hold a password."""


def looks_secret(name: str) -> bool:
    """Whether a variable or an option of this name may hold a secret: ``ARC_BUNDLER_SEAL_KEY``, ``seal_key``."""
    return bool(_LOOKS_SECRET.search(name.upper()))


def remember(environment: Mapping[str, str], options: Mapping[str, object]) -> None:
    """Hold what came in variables or stands in an option by mistake, and the password of a proxy.

    Args:
        environment: all variables. One for a file that exists holds a path, which messages name.
        options: the values of the command's options by name.
    """
    held_secrets.clear()
    for name, text in environment.items():
        own = name.removeprefix(PREFIX)
        if own in SECRET_VARIABLES or (own != name and looks_secret(own) and not _is_ordinary(text)):
            held_secrets.remember(text)
    for name, value in options.items():
        text = str(value) if isinstance(value, (str, Path)) else ""
        if looks_secret(name) and not (_is_ordinary(text) or _PATH.fullmatch(text)):
            held_secrets.remember(text)
    for name in _PROXIES:
        for spelled in (name, name.lower()):
            held_secrets.remember_url(environment.get(spelled, ""))
    held_secrets.remember_url(str(options.get("proxy") or ""))


def _is_ordinary(text: str) -> bool:
    """Whether ``text`` is a switch, or the path of something that exists."""
    if text.casefold() in _SWITCH:
        return True
    try:
        return os.path.lexists(text)
    except ValueError:  # a null character
        return False
