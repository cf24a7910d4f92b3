"""Says why a host's certificate was refused: its dates, its name, a root that is missing here, or an inspecting proxy.

Who issued it is read from the chain that is presented. A server can write any name there: it makes a better message,
and never makes anything trusted.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable

from bundler.errors import UpstreamError
from bundler.fetch import presented
from bundler.fetch.request_info import RequestInfo
from bundler.fetch.vendor_roots import Vendor
from bundler.formats import presented_chain
from bundler.formats.presented_chain import Link

# X509_V_ERR_* of OpenSSL's x509_vfy.h, as in ssl.SSLCertVerificationError.verify_code.
_NOT_YET_VALID, _EXPIRED, _SELF_SIGNED_LEAF = 9, 10, 18
_UNKNOWN = frozenset({2, _SELF_SIGNED_LEAF, 19, 20, 21, 27})
_OTHER_HOST = frozenset({62, 63, 64})
_ADVICE_UNKNOWN = (
    "if your company inspects TLS or the mirror uses a private CA, give the CA certificate with --ca FILE; otherwise "
    "do not continue from this network"
)
_CARRY = "a definition carries it by trust.certificates"
_ADVICE_CLOCK = "check this computer's clock"


def from_verification(cause: ssl.SSLCertVerificationError, request: RequestInfo) -> UpstreamError:
    """The error for a certificate that OpenSSL refused."""
    host, code = request.host, cause.verify_code
    if code == _EXPIRED:
        what = f"the certificate of {host} has expired"
        do = f"{_ADVICE_CLOCK}; if it is right, tell the operator of that host"
    elif code == _NOT_YET_VALID:
        what, do = f"the certificate of {host} is not valid yet", _ADVICE_CLOCK
    elif code in _OTHER_HOST or "mismatch" in str(cause).lower():
        what = f"the certificate presented for {host} belongs to another host"
        do = "check what this name resolves to from here: a portal, a proxy or a wrong DNS record is in between"
    elif code in _UNKNOWN:
        return _unknown_issuer(cause, request)
    else:
        what, do = f"the certificate of {host} cannot be verified", _ADVICE_UNKNOWN
    return UpstreamError(what, details=[cause.verify_message or str(cause)], do=do)


def _unknown_issuer(cause: ssl.SSLCertVerificationError, request: RequestInfo) -> UpstreamError:
    """A missing root, where the chain says that it is the vendor's; otherwise inspection or a private CA."""
    host, said = request.host, cause.verify_message or str(cause)
    links = presented_chain.read(presented.again(request)) if request.context else ()
    inspected = UpstreamError(
        f"the certificate of {host} was issued by a CA that is not trusted here",
        details=[said, *_issuer_line(links)],
        do=_ADVICE_UNKNOWN,
    )
    vendor = _said_vendor(links, request.vendors)
    if vendor is None or cause.verify_code == _SELF_SIGNED_LEAF:
        return inspected
    missing = presented_chain.end(links)
    if _is_trusted(missing, request.context):
        other = f"{missing.issuer_name} is trusted here and did not issue it: something in between uses its name"
        return UpstreamError(inspected.what, details=[*inspected.details, other], do=inspected.do)
    return UpstreamError(
        f"the certificate of {host} says that it is of {links[0].issuer_organization}, and "
        f"{'the root of its issuer' if missing is links[0] else 'its root'} {missing.issuer_name} is missing here",
        details=[said, *_issuer_line(links)],
        do=_how_to_get(missing.issuer_name, vendor),
    )


def _issuer_line(links: tuple[Link, ...]) -> list[str]:
    return (
        [f"presented: issued by {links[0].issuer}; the chain ends in {presented_chain.end(links).issuer}"]
        if links
        else []
    )


def _said_vendor(links: tuple[Link, ...], vendors: Iterable[Vendor]) -> Vendor | None:
    """The vendor that the host's certificate says to be of."""
    if not links:
        return None
    return next((vendor for vendor in vendors if links[0].issuer_organization in vendor.organizations), None)


def _is_trusted(link: Link, context: ssl.SSLContext | None) -> bool:
    """Whether a root with the name of this link's issuer is among the trusted ones."""
    trusted = context.get_ca_certs(binary_form=True) if context else []
    return any(link.issuer == each.subject for root in trusted for each in presented_chain.read([root]))


def _how_to_get(name: str, vendor: Vendor) -> str:
    pinned = next((root for root in vendor.roots if root.name == name), None)
    if pinned:
        return (
            f"this program trusts {name} for {vendor.name}'s own hosts alone; for this host, get its certificate "
            f"(SHA-256 {pinned.sha256}) and give it with --ca FILE. Servers may lack it, too: {_CARRY}"
        )
    return (
        f"get the certificate of {name} from its operator's repository (Microsoft's: "
        "https://www.microsoft.com/pkiops/docs/repository.htm), compare its SHA-256, and give it with --ca FILE. "
        f"Servers may lack it, too: {_CARRY}, as file:"
    )
