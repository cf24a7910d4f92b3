"""The command ``verify-file``: verifies the signatures of single files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, common, define_command, option
from bundler.cli.errors import as_lines
from bundler.cli.options import anchors_option

if TYPE_CHECKING:
    from bundler.flow.verify_file import Verdict
    from bundler.model.anchor import Anchors

EXIT_REFUSED = 6


@define_command(
    "verify-file",
    "arc-bundler verify-file AzureConnectedMachineAgent.msi azcmagent.deb",
    "arc-bundler verify-file tool.exe --anchors roots.pem --publisher 'Contoso Ltd'",
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path, dir_okay=False))
@option(
    "--at",
    metavar="TIME",
    section="Trust",
    help="Verify as of this time (ISO 8601, UTC).  [default: now]",
)
@option(
    "--publisher",
    metavar="CN[/O]|SHA256",
    section="Trust",
    help="Require this publisher, by its names or its certificate's SHA-256.  [default for O: CN, or none]",
)
@anchors_option
@common
def command(
    console: Console, *, files: tuple[Path, ...], anchors: tuple[Path, ...], publisher: str | None, at: str | None
) -> int:
    """Verify the signatures of files: kind, signer, chain, timestamp, verdict.

    Reads MSI, PE and PowerShell files (Authenticode), debs and rpms (their own signatures), an InRelease and the
    indexes that it lists. A refusal shows its reason and what that usually means. Exit 6 if any file is refused.
    """
    from bundler.flow.verify_file import verify_files
    from bundler.trust import anchors as trusted

    chosen = trusted.chosen(anchors)
    verdicts = verify_files(files, anchors=_require_publisher(chosen, publisher), at=_time(at) or console.now)
    good = all(verdict.verified for verdict in verdicts)
    if not good and console.quiet and not console.json:
        click.echo(as_lines(line for v in verdicts if not v.verified for line in _lines(v)), err=True)
    console.emit_result(
        lambda: [line for verdict in verdicts for line in _lines(verdict)],
        lambda: {"ok": good, "anchors": chosen.name, "files": _trees(verdicts)},
    )
    return 0 if good else EXIT_REFUSED


def _trees(verdicts: tuple[Verdict, ...]) -> list[object]:
    from bundler.formats.json_codec import to_tree  # loads pydantic, which the text does not need

    return [to_tree(verdict) for verdict in verdicts]


def _require_publisher(anchors: Anchors, publisher: str | None) -> Anchors:
    if publisher is None:
        return anchors
    from dataclasses import replace

    from bundler.errors import UsageError
    from bundler.trust.publishers import named

    meant = named(publisher.strip())
    if not meant:
        raise UsageError(
            "--publisher is empty", do="give the common name of its certificate, `--publisher CN/O`, or its SHA-256"
        )
    return replace(anchors, publishers=meant)


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is not a time; write 2026-11-22 or 2026-11-22T10:00:00Z") from error
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.path}: {'verified' if verdict.verified else 'REFUSED'}"
    yield f"  kind       {verdict.kind}, {verdict.size} bytes, SHA-256 {verdict.sha256}"
    if verdict.facts:
        yield f"  package    {verdict.facts.name} {verdict.facts.version} {verdict.facts.architecture}"
    yield f"  because    {verdict.why}{'' if verdict.verified else f'  [{verdict.reason}]'}"
    yield from (f"             {line}" for line in verdict.meaning)
    if verdict.do:
        yield f"  do         {verdict.do}"
    yield from _evidence_lines(verdict)


def _evidence_lines(verdict: Verdict) -> Iterator[str]:
    evidence = verdict.evidence
    if evidence is None:
        return
    if not evidence.chain:
        yield f"  key        {evidence.fingerprint}"
    for number, link in enumerate(evidence.chain):
        label = "chain" if number == 0 else ""
        yield f"  {label:<10} {link.subject} (until {link.not_after:%Y-%m-%d}, {link.sha256[:16]}…)"
    if evidence.timestamped_by:
        yield f"  timestamp  {evidence.signed_at:%Y-%m-%d %H:%M:%S} UTC by {evidence.timestamped_by}"
    yield from (f"  note       {note}" for note in evidence.notes)
