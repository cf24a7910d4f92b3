"""The TLS contexts: which CAs are trusted for which host.

For every host: certifi's public CAs, the files that the environment names, and ``--ca FILE``. For the hosts of a vendor
in :mod:`.vendor_roots` also its pinned roots, where none of the others holds them. A proxy is never such a host.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import urllib3
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from bundler.fetch import vendor_roots
from bundler.fetch.network import Network, load_ca
from bundler.fetch.vendor_roots import Vendor

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class Contexts:
    """The contexts of one transport, each made when it is needed first. Not safe for several threads."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.vendors = vendor_roots.shipped() if network.vendors is None else network.vendors
        self._ordinary: ssl.SSLContext | None = None
        self._own: dict[str, ssl.SSLContext] = {}

    def ordinary(self) -> ssl.SSLContext:
        """The context for proxies, and for hosts of no vendor. Raises UsageError for an unusable CA file."""
        if self._ordinary is None:
            self._ordinary = _public(self._network)
        return self._ordinary

    def of(self, host: str) -> ssl.SSLContext:
        """The context for ``host``. Raises UsageError for an unusable CA file or a damaged installation."""
        vendor = vendor_roots.of(host, self.vendors)
        if vendor is None:
            return self.ordinary()
        if vendor.name not in self._own:
            self._own[vendor.name] = self._for(vendor)
        return self._own[vendor.name]

    def _for(self, vendor: Vendor) -> ssl.SSLContext:
        context = _public(self._network)
        roots = vendor_roots.lacking(context, vendor)
        if not roots:
            return self.ordinary()
        vendor_roots.trust(context, roots)
        for root in roots:
            self._network.detail(
                f"{root.name} (SHA-256 {root.sha256}) is trusted for the hosts of {vendor.name} alone: certifi "
                f"{certifi.__version__} does not have it"
            )
        return context


def _public(network: Network) -> ssl.SSLContext:
    context = urllib3.util.create_urllib3_context()
    context.load_verify_locations(cafile=DEFAULT_CA_BUNDLE_PATH)
    named = [Path(network.environment[name]) for name in _CA_VARIABLES if network.environment.get(name)]
    found = [path for path in named if path.is_file()]
    for file in [network.ca_file, *found] if network.ca_file else found:
        load_ca(context, file)
    return context
