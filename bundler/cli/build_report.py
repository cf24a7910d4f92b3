"""What ``build`` shows when it is done: the outputs, the seal, and the next command."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.cli.console import Console
from bundler.cli.progress import format_size
from bundler.formats import shell_words

if TYPE_CHECKING:
    from bundler.flow.build.outputs import Built


def next_command(built: Built, anchors: Iterable[Path]) -> str:
    """The next command: approve the output that lacks approvals, or verify the first one."""
    signer = ("--signer", f"sha256:{built.sealed_by.sha256}") if built.sealed_by else ("--insecure-no-seal",)
    made = min(built.outputs, key=lambda one: one.approvals) if built.missing_approvals else built.outputs[0]
    if built.missing_approvals:
        return shell_words.command("arc-bundler", "approve", made.path, "--digest", made.digest, *signer)
    trusted = [word for path in anchors for word in ("--anchors", path)]
    return shell_words.command("arc-bundler", "verify", made.path, *signer, *trusted)


def _seal_lines(built: Built) -> list[str]:
    if built.sealed_by is None:
        return [
            "NOT SIGNED: target servers cannot verify who made it, and no provenance was written.",
            "  Give a key with --seal-key (docs/sealing.md).",
        ]
    from bundler.formats import fingerprint_words

    signer = built.sealed_by
    lines = [
        f"signed by {signer.name}, valid until {signer.not_after:%Y-%m-%d}; its fingerprint, in digits and in words:",
        f"  sha256:{signer.sha256}",
        *(f"  {line}" for line in fingerprint_words.lines(fingerprint_words.words(signer.sha256))),
    ]
    if built.missing_approvals:
        lines.append(f"{built.missing_approvals} approvals are still missing: `arc-bundler approve BUNDLE`")
    return lines


def report(console: Console, built: Built, check: str, *, lock: Path) -> None:
    """Show what was built, and the next command ``check``."""
    from bundler.formats.json_codec import to_tree

    def text() -> list[str]:
        label = " [LAB]" if built.lab else ""
        head = "already built and unchanged" if built.unchanged else "built and verified"
        lines = [f"{built.name} {built.version}{label}: {head}"]
        for made in built.outputs:
            lines.append(f"  {made.path}  {format_size(made.size)}{'  encrypted' if made.encrypted else ''}")
            if made.format != "directory":
                lines.append(f"    archive SHA-256  {made.sha256}")
            lines.append(f"    bundle digest    {made.digest}")
        if built.lock_written:
            lines.append(f"wrote {lock}: review it, and commit it with the definition")
        lines += [f"unusual: {line}" for line in built.unusual]
        lines += _seal_lines(built)
        if built.scripts_signed_by:
            signer = built.scripts_signed_by
            lines.append(f"PowerShell scripts signed by {signer.name}, valid until {signer.not_after:%Y-%m-%d}")
        if built.fingerprint_file:
            lines.append(f"wrote {built.fingerprint_file}: fingerprint and digest, never to be sent with the bundle")
        both = "the fingerprint and the bundle digest" if built.sealed_by else "the bundle digest"
        lines.append(f"Send {both} to the person who unpacks it, through a separate channel:")
        asks = "ask for the fingerprint and " if built.sealed_by else ""
        lines.append(f"  verify.sh and verify.ps1 {asks}print the digest.")
        lines.append(f"next: {check}")
        return lines

    console.emit_result(text, lambda: {"ok": True, **to_tree(built)})
