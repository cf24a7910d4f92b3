"""The runtime of a bundle's script: the part that is the same in every bundle that one release makes of a product."""

from __future__ import annotations

from typing import Final

from bundler.model.frozen import frozen

UNRELEASED: Final = "unreleased"
"""The release in :class:`KnownRuntime` of an installation with a version that ends in ``.dev0``."""

UNKNOWN: Final = "not the runtime of any release known here"
"""The text for a runtime of no known release."""


@frozen
class ScriptRuntime:
    """One script's runtime."""

    product: str
    platform: str
    """``linux`` or ``windows``."""
    script: str
    """``install.sh``."""
    digest: str
    """SHA-256 of the bytes after the script's marker line, without a signature block: 64 lower-case hex digits."""


@frozen
class ReleasedRuntime:
    """A row of ``data/runtimes.json``, or of a plug-in's table: the runtime of one script in one release."""

    release: str
    """The tool that made it: ``arc-bundler 0.2.0``, of a plug-in's product ``arc-bundler 0.2.0 + arc-hello 1.0``."""
    product: str
    platform: str
    script: str
    digest: str

    @property
    def runtime(self) -> ScriptRuntime:
        """The runtime, whatever release it is of."""
        return ScriptRuntime(product=self.product, platform=self.platform, script=self.script, digest=self.digest)


@frozen
class KnownRuntime:
    """A script's runtime, and the releases that it is known to be of."""

    product: str
    platform: str
    script: str
    digest: str
    release: str
    """``arc-bundler 0.2.0`` (several joined by commas), :data:`UNRELEASED`, or empty: of no release known here."""

    @property
    def text(self) -> str:
        """What is known, in words."""
        if not self.release:
            return UNKNOWN
        return self.release if self.release == UNRELEASED else f"runtime of {self.release}"

    @property
    def row(self) -> str:
        """The runtime in a line."""
        return f"{self.product} {self.platform} {self.script}  sha256:{self.digest}  {self.text}"
