"""Decides whether a secret can be used now, before it is sealed: its form, and how long a token is valid."""

from __future__ import annotations

from datetime import datetime, timedelta

from bundler.errors import UsageError
from bundler.formats import access_token
from bundler.formats.parse_error import ParseError
from bundler.signing.envelope import EnvelopePayload

_FETCH = "fetch a new one with `az account get-access-token --query accessToken --output tsv`"
_SECURE_STRING = (
    "in PowerShell 7 use `(Get-AzAccessToken).Token | ConvertFrom-SecureString -AsPlainText`, in Windows "
    "PowerShell 5.1 `(New-Object Net.NetworkCredential '', (Get-AzAccessToken).Token).Password`"
)
"""How to get the text of what newer Az modules give as a SecureString."""
_SKEW = timedelta(minutes=5)
"""Sign-in fails where clocks differ by more."""


def require_usable(payload: EnvelopePayload, *, at: datetime, lab: bool) -> tuple[str, ...]:
    """Require that the secret can be used now.

    Args:
        payload: the secret, its kind, and how long its envelope is valid.
        at: now, with zone.
        lab: whether the servers are a lab's, which takes any text for a token.

    Returns:
        Warnings, without any part of the secret.

    Raises:
        UsageError: it is the name of a type, no token, expired, or not valid yet.

    """
    if payload.kind == "certificate":
        return ()
    text = payload.secret.decode()
    if access_token.is_type_name(text):
        raise UsageError('the secret is the text "System.Security.SecureString", the name of a type', do=_SECURE_STRING)
    return _token_warnings(text, payload.expires, at, lab=lab) if payload.kind == "token" else ()


def _token_warnings(text: str, until: datetime, at: datetime, *, lab: bool) -> tuple[str, ...]:
    try:
        token = access_token.read(text)
    except ParseError as fault:
        if lab:
            return (f"the access token {fault}; a lab takes it all the same",)
        raise UsageError(f"the access token {fault}", do=_FETCH) from None
    if token.expires is None:
        return ("the access token does not say how long it is valid",)
    _require_now(token, at)
    expires = f"the access token is valid until {token.expires:%Y-%m-%d %H:%M} UTC"
    return (f"{expires}, and the envelope longer: use it before" if token.expires < until else expires,)


def _require_now(token: access_token.AccessToken, at: datetime) -> None:
    if token.expires is not None and token.expires <= at:
        raise UsageError(f"the access token expired on {token.expires:%Y-%m-%d %H:%M} UTC", do=_FETCH)
    if token.not_before is not None and token.not_before > at + _SKEW:
        raise UsageError(
            f"the access token is valid only from {token.not_before:%Y-%m-%d %H:%M} UTC",
            do="check this machine's clock, or fetch the token later",
        )
