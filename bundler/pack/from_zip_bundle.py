"""Reads the files of a bundle's zip, and compares every byte around their contents with what our writer writes."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import BinaryIO
from zipfile import ZipInfo

from bundler.pack import from_zip, zip_form
from bundler.pack.form import Form
from bundler.pack.members import RawMember
from bundler.pack.zip_form import Described


def walk(file: BinaryIO, size: int, form: Form) -> Generator[RawMember, None, None]:
    """Give the members of the zip ``file`` of ``size`` bytes in their order.

    Deviations from what our writer writes go to ``form``. Raises what :func:`bundler.pack.from_zip.walk` raises.
    """
    with from_zip.opened(file, size) as entries:
        described = [_described(info, member) for info, member in entries]
        _compare(file, size, described, form)
        for (_, member), one in zip(entries, described, strict=True):
            yield replace(member, time=one.time if one else None, time_step=zip_form.TIME_STEP)


def _described(info: ZipInfo, member: RawMember) -> Described | None:
    """What is needed to write the headers of a member; None where our writer writes no such member."""
    try:
        time = int(datetime(*info.date_time, tzinfo=timezone.utc).timestamp())
    except ValueError:
        return None
    if member.folder or member.mode is None:
        return None
    return Described(member.path, member.size, info.CRC, member.mode, time, info.header_offset)


def _compare(file: BinaryIO, size: int, members: Sequence[Described | None], form: Form) -> None:
    """Note in ``form`` where the zip differs from what our writer makes of the same ``members``.

    They are in the order of their contents; None stands for one that our writer does not write.
    """
    central: list[bytes] = []
    position, last = 0, b""
    for one in members:
        if one is None:
            form.note("a member is described as another tool describes it")
            return
        form.compare("the order of the files", last < one.name.encode(), written=True)
        form.compare(f"the place of {one.name!a}", one.offset, position)
        last = one.name.encode()
        headers = _headers(file, one, form)
        central.append(headers.central)
        position += len(headers.local) + one.size
    file.seek(position)
    tail = b"".join(zip_form.tail(central, position))
    form.compare("the directory", file.read(len(tail) + 1), tail)
    form.compare("the length", size, position + len(tail))


def _headers(file: BinaryIO, one: Described, form: Form) -> zip_form.Headers:
    """The headers that our writer writes for a member; of two forms, that of the header before the member."""
    for headers in zip_form.accepted(one):
        file.seek(one.offset)
        if file.read(len(headers.local)) == headers.local:
            return headers
    form.note(f"the header of {one.name!a} is not as arc-bundler writes it")
    return zip_form.headers(one)
