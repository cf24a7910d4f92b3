"""`arc-bundler verify-file`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bundler.cli.console import Console, common, example, option
from bundler.cli.options import anchors_option

if TYPE_CHECKING:
    from bundler.flow.verify_file import Verdict
    from bundler.model.anchor import Anchors

EXIT_REFUSED = 6


@click.command("verify-file", epilog=example("arc-bundler verify-file AzureConnectedMachineAgent.msi azcmagent.deb"))
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path, dir_okay=False))
@option("--at", metavar="TIME", help="Judge as of this time (ISO 8601; UTC where it names no zone).  [default: now]")
@option("--publisher", metavar="CN[/O]", help="Demand this publisher instead; O is taken to be CN where left out.")
@anchors_option
@common
def command(
    console: Console, *, files: tuple[Path, ...], anchors: Path | None, publisher: str | None, at: str | None
) -> int:
    """Judge files that you already have: kind, signer, chain, timestamp, verdict.

    MSI, PE and PowerShell files by Authenticode; debs and rpms by their own signatures; an InRelease, and the indexes
    that it names. On refusal: the one reason that matters, and what it usually means. Exit 6 if any file is refused.
    """
    from bundler.flow.verify_file import verify_files
    from bundler.trust import anchors as trusted

    believed = trusted.load(anchors) if anchors else trusted.microsoft()
    verdicts = verify_files(files, anchors=_demanding(believed, publisher), at=_time(at) or console.now)
    good = all(verdict.verified for verdict in verdicts)
    if not good and console.quiet and not console.json:
        click.echo("\n".join(line for v in verdicts if not v.verified for line in _lines(v)), err=True)
    console.emit_result(
        lambda: "\n".join(line for verdict in verdicts for line in _lines(verdict)),
        lambda: {"ok": good, "anchors": believed.name, "files": _trees(verdicts)},
    )
    return 0 if good else EXIT_REFUSED


def _trees(verdicts: tuple[Verdict, ...]) -> list[object]:
    from bundler.formats.json_codec import to_tree

    return [to_tree(verdict) for verdict in verdicts]


def _demanding(anchors: Anchors, publisher: str | None) -> Anchors:
    if publisher is None:
        return anchors
    from dataclasses import replace

    from bundler.errors import UsageError
    from bundler.model.anchor import Publisher

    common_name, _, organization = publisher.partition("/")
    if not common_name:
        raise UsageError("--publisher names nobody", do="give the common name of its certificate: `--publisher CN/O`")
    return replace(anchors, publishers=(Publisher(common_name=common_name, organization=organization or common_name),))


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no time; write 2026-11-22 or 2026-11-22T10:00:00Z") from error
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
