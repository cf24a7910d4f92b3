"""Lists the switches of the install scripts that one bundle needs: START-HERE names them, and no others."""

from __future__ import annotations

from bundler.model.frozen import frozen
from bundler.products.arc_server.script_parameters import ScriptParameters

SECRETS = ("service-principal-secret", "access-token")
"""Ways to sign in for which a secret comes from outside of the bundle."""


@frozen
class Switch:
    """A switch of ``install.sh``, its twin of ``install.ps1``, and what it is for."""

    linux: str = ""
    """Empty where ``install.sh`` has none."""
    windows: str = ""
    """Empty where ``install.ps1`` has none."""
    purpose: str

    def names(self, *, linux: bool, windows: bool) -> str:
        """What it is called on these platforms, between commas; empty where they do not have it."""
        return ", ".join(name for name, present in ((self.linux, linux), (self.windows, windows)) if name and present)


SIGNER = Switch(linux="--signer FINGERPRINT", windows="-Signer FINGERPRINT", purpose="the sealer's fingerprint")
_WRITE_HOSTS = Switch(
    linux="--write-hosts",
    windows="-WriteHosts",
    purpose="writes the private endpoint's records to the hosts file; needed where DNS does not have them",
)
_INSTALL_CERTIFICATES = Switch(
    linux="--install-certificates",
    windows="-InstallCertificates",
    purpose="trusts the certificates in this bundle; needed where the server does not trust them yet",
)
_IMPORT_KEYS = Switch(
    linux="--import-keys",
    purpose="imports the package key into rpm; needed where its policy requires a known key (SLES)",
)
_ENVELOPE = Switch(
    linux="--envelope FILE",
    windows="-Envelope FILE",
    purpose="reads the secret from an envelope (arc-bundler seal-secret)",
)
_SECRET_FILE = Switch(linux="--secret-file FILE", windows="-SecretFile FILE", purpose="reads the secret from a file")
_SECRET_STDIN = Switch(linux="--secret-stdin", windows="-SecretStdin", purpose="reads the secret from standard input")


def of(parameters: ScriptParameters, *, linux: bool, windows: bool, rpm: bool, sealed: bool) -> tuple[Switch, ...]:
    """The switches that this bundle needs.

    Args:
        parameters: of the scripts.
        linux: whether a target is Linux.
        windows: whether a target is Windows.
        rpm: whether a package is an rpm.
        sealed: whether the bundle is sealed; only then can an envelope be verified.
    """
    from_outside = parameters.authentication in SECRETS and not parameters.embedded_secret
    certificate = parameters.authentication == "service-principal-certificate"
    wanted = (
        (_WRITE_HOSTS, bool(parameters.hosts_records)),
        (_INSTALL_CERTIFICATES, bool(parameters.certificates)),
        (_IMPORT_KEYS, rpm),
        (_ENVELOPE, sealed and (from_outside or certificate)),
        (_SECRET_FILE, from_outside),
        (_SECRET_STDIN, from_outside),
    )
    return tuple(one for one, needed in wanted if needed and one.names(linux=linux, windows=windows))
