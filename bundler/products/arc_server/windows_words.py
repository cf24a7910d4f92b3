"""Reads the words for a Windows: ``server 2012 R2``, ``2022 datacenter core``, ``10 IoT Enterprise LTSC 2021``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bundler.products.arc_server import tables
from bundler.products.arc_server.spelling_tables import words

_FEATURE_RELEASE = re.compile(r"\d\dh[12]")
_AZURE_LOCAL = {"azurelocal", "local", "azurestackhci", "hci"}
_CLIENTS = {"10", "11"}
_EVERY = {"server", "core", "desktop", "experience"}
"""Words that say no version, as in "Windows Server": every one is meant."""


def windows_version(tokens: Sequence[str]) -> str:
    """The version in the table that ``tokens`` mean; empty where that is none, or not certain."""
    features = [token for token in tokens if _FEATURE_RELEASE.fullmatch(token)]
    if "".join(token for token in tokens if token not in features) in _AZURE_LOCAL:
        return "azure-local"
    numbers = {token for token in tokens if token[0].isdigit()} - set(features)
    extra = set(tokens) - numbers - set(features)
    if not extra <= set(words().of("windows").extra):
        return ""
    if "ltsc" in extra:
        return _long_term(numbers)
    version = numbers.pop() if len(numbers) == 1 else ""
    if version in _CLIENTS:
        return "" if "server" in extra else version
    # Windows Server 23H2 and the like are releases of their own, which Microsoft does not list.
    return version if version and not features and tables.systems().find("windows", version) else ""


def means_every(tokens: Sequence[str]) -> bool:
    """Whether ``tokens`` name no version, so that every supported Windows is meant."""
    return set(tokens) <= _EVERY


def _long_term(numbers: set[str]) -> str:
    """Windows IoT Enterprise LTSC is named by its year, with or without the Windows that it is."""
    for one in words().long_term:
        if one.year in numbers and numbers <= {one.year, one.version}:
            return one.version
    return ""
