"""Finds a PKCS #11 token (a smartcard or an HSM) by its address and opens a session with it.

Uses ``python-pkcs11``, an optional dependency: sealing with a file needs no compiled module for tokens. So it is
imported in the functions that use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bundler.errors import SigningError
from bundler.signing.keys import Passphrase, require_passphrase
from bundler.signing.token_uri import TokenUri


@contextmanager
def pkcs11_errors(what: str) -> Iterator[None]:
    """Turn errors of the PKCS #11 module into a :class:`SigningError` with the message ``what``."""
    from pkcs11 import exceptions

    try:
        yield
    except (exceptions.PinIncorrect, exceptions.PinInvalid, exceptions.PinLenRange):
        raise SigningError(
            "the token refuses the PIN",
            do="give the right one; tokens lock themselves after a few wrong ones",
        ) from None
    except exceptions.PinLocked:
        raise SigningError("the token has locked its PIN", do="have its administrator unlock it") from None
    except (exceptions.PKCS11Error, OSError) as error:
        message = type(error).__name__ + (f": {ascii(str(error))[1:-1]}" if str(error) else "")
        raise SigningError(
            what, details=[f"the module's error: {message}"], do="check that the token is connected and works"
        ) from None


def find(library: Any, uri: TokenUri) -> Any:
    """The one token that ``uri`` names. Raises :class:`SigningError`."""
    from pkcs11 import TokenFlag

    with pkcs11_errors("the PKCS #11 module does not list its tokens"):
        slots = [slot for slot in library.get_slots(token_present=True) if uri.slot_id in (None, slot.slot_id)]
        tokens = [slot.get_token() for slot in slots]
        ready = [token for token in tokens if TokenFlag.TOKEN_INITIALIZED in token.flags]
        fitting = [token for token in ready if _is_named(token, uri)]
    if len(fitting) == 1:
        return fitting[0]
    shown = [f"token: {token.label!a}, serial {_serial(token)!a}" for token in fitting or ready]
    if not fitting:
        raise SigningError(
            "no such token is connected", details=shown, do="connect it, or correct token= in the address"
        )
    raise SigningError("several tokens match the address", details=shown, do="add serial=... to the address")


def _is_named(token: Any, uri: TokenUri) -> bool:
    wanted = (uri.token, uri.serial, uri.manufacturer, uri.model)
    found = (token.label, _serial(token), token.manufacturer_id, token.model)
    return all(want in ("", have.strip()) for want, have in zip(wanted, found, strict=True))


def _serial(token: Any) -> str:
    return bytes(token.serial).decode("utf-8", "replace").strip()


def library(module: str) -> Any:
    """The PKCS #11 ``module``, a path, loaded. Raises :class:`SigningError`."""
    try:
        import pkcs11
    except ImportError as error:
        raise SigningError(
            "signing with a token requires the package python-pkcs11, which is not installed",
            do="install it with `pip install 'arc-bundler[pkcs11]'`",
        ) from error
    if not module:
        raise SigningError(
            "no PKCS #11 module was given for the token",
            do="add ?module-path=... to the address, or set ARC_BUNDLER_PKCS11_MODULE",
        )
    try:
        return pkcs11.lib(module)
    except (pkcs11.PKCS11Error, OSError) as error:
        raise SigningError(
            f"the PKCS #11 module {module} cannot be loaded",
            details=[ascii(str(error))[1:-1] or type(error).__name__],
            do="give the path of the library from the token's vendor",
        ) from None


def opened(token: Any, pin: Passphrase) -> Any:
    """Open a session, logged in if the token requires it, for as long as the program runs. Raises SigningError.

    A token with a PIN pad asks for the PIN itself: then none is passed, so that it never enters this program.
    """
    from pkcs11 import TokenFlag, UserAlreadyLoggedIn
    from pkcs11.types import PROTECTED_AUTH

    given: object = None
    if TokenFlag.LOGIN_REQUIRED in token.flags:
        has_pad = TokenFlag.PROTECTED_AUTHENTICATION_PATH in token.flags
        given = (
            PROTECTED_AUTH
            if has_pad
            else require_passphrase(pin, "the token requires a PIN, but none was given", "seal")
        )
    with pkcs11_errors("the token does not open a session"):
        try:
            return token.open(user_pin=given)
        except UserAlreadyLoggedIn:  # a login holds for all sessions of a program (PKCS #11 v2.40 section 2.6.7)
            return token.open()
