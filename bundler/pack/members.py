"""The members of a container, and the checks that each passes before it is read: names, kinds, sizes.

Nothing of a member is read before its name and its declared size were accepted, and then no more than that size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bundler.errors import VerificationError, WriteError
from bundler.integrity import sums
from bundler.integrity.names import name_faults
from bundler.pack.form import Form

Password = Callable[[], str]
"""Called only where an archive is encrypted."""


@dataclass(frozen=True)
class RawMember:
    """One member of a container, as the container describes it."""

    path: str
    """With ``/``, from the container's root: in an archive with the bundle's folder in front."""
    size: int
    """Bytes, as declared."""
    mode: int | None
    """Permission bits; None where the container keeps none."""
    chunks: Callable[[], Iterator[bytes]]
    """Gives the content, once, and only until the next member is requested."""
    folder: bool = False
    time: int | None = None
    """Modification time in seconds since 1970; None where it is not held against the manifest."""
    time_step: int = 1
    """Seconds in which the container counts time."""


_DO = "do not unpack it; copy it again from where it was built, and compare the digest with what the build printed"


def refused(what: str, reason: str, details: Sequence[str] = (), *, do: str = "") -> VerificationError:
    """The error for a container that is not unpacked; ``do`` replaces the general advice."""
    return VerificationError(what, reason=reason, details=details, do=do or _DO)


def damaged(why: object) -> VerificationError:
    """The error for a container that cannot be read to its end."""
    return refused("the archive is damaged or cut short", "damaged-archive", [str(why)] if str(why) else [])


def cut_short(why: str) -> VerificationError:
    """The error for a container that ends too early."""
    return refused("the archive is cut short", "damaged-archive", [why])


MAX_MEMBERS = sums.MAX_FILES
MAX_TOTAL = 64 << 30
"""Bytes of all files: a bundle for every platform is well under 4 GiB."""
MAX_RATIO = 100
"""Unpacked bytes for one packed byte. Packages do not compress at all, scripts about tenfold."""
SMALL = 64 << 20
"""Bytes up to which no ratio is a bomb."""


@dataclass
class BundleMember:
    """One file of a bundle, with a checked name and size."""

    path: str
    """From the bundle's root."""
    top: str | None
    """The one folder that the archive unpacks to; None for a directory, which may be called anything."""
    size: int
    mode: int | None
    time: int | None
    time_step: int
    _found: RawMember = field(repr=False)
    _left: int = field(default=-1, repr=False)

    def chunks(self) -> Iterator[bytes]:
        """The content, once, and only until the next member is requested; raises :class:`VerificationError`."""
        if self._left >= 0:
            raise ValueError(f"{self.path} was read before")
        self._left = self.size
        for chunk in self._found.chunks():
            self._left -= len(chunk)
            if self._left < 0:
                raise damaged(f"{self.path} is longer than declared")
            yield chunk
        if self._left:
            raise damaged(f"{self.path} is shorter than declared")

    def drain(self) -> None:
        """Read content that was not requested: it is checked too, and the next member can follow."""
        if self._left < 0:
            for _ in self.chunks():
                pass
        elif self._left:
            raise ValueError(f"{self.path} was read in part only")


def limit(archive_size: int | None) -> int:
    """How many bytes a container of ``archive_size`` bytes may unpack to."""
    return MAX_TOTAL if archive_size is None else min(MAX_TOTAL, max(SMALL, MAX_RATIO * archive_size))


@dataclass
class _Amount:
    """The members and bytes that were declared so far."""

    most: int
    members: int = 0
    total: int = 0

    def add(self, size: int) -> None:
        self.members += 1
        self.total += size
        if self.members > MAX_MEMBERS or size < 0 or self.total > self.most:
            raise refused(
                "the container would unpack to more than any bundle has",
                "bomb",
                [f"allowed are {MAX_MEMBERS} members and {self.most} bytes in all"],
            )


def require_bounded(sizes: Iterable[int], archive_size: int | None) -> None:
    """Refuse bombs: more members, or more bytes in all, than any bundle has. Raises :class:`VerificationError`."""
    amount = _Amount(limit(archive_size))
    for size in sizes:
        amount.add(size)


def checked_members(found: Iterable[RawMember], *, archive_size: int | None, form: Form) -> Iterator[BundleMember]:
    """Give the files of a bundle one after the other, each checked before it is given.

    Args:
        found: the container's members.
        archive_size: bytes of the archive; None for a directory: its files are at its root, not in one folder.
        form: where ``found`` notes what differs from an archive by our writer.

    Raises:
        VerificationError: a member is refused.
        RewrappedError: every member was given, but our writer makes another archive of them.
    """
    amount = _Amount(limit(archive_size))
    files: set[str] = set()
    folders: set[str] = set()
    top: str | None = None
    for member in found:
        amount.add(member.size)
        faults = name_faults([member.path])
        if faults:
            raise refused("the container contains a name that no bundle has", "unsafe-name", faults)
        if archive_size is not None:
            top = _require_top(member, top)
        if member.folder:
            folders.add(member.path)
            if archive_size is not None:
                form.note(f"an entry for the folder {member.path!a} is there, which arc-bundler does not write")
            continue
        if member.path in files:
            raise refused(f"the archive contains {member.path!a} twice", "duplicate-name")
        files.add(member.path)
        inside = member.path if top is None else member.path[len(top) + 1 :]
        given = BundleMember(inside, top, member.size, member.mode, member.time, member.time_step, member)
        yield given
        given.drain()
    _require_used(folders, files)
    form.require_ours()


def _require_top(member: RawMember, top: str | None) -> str:
    first, slash, _ = member.path.partition("/")
    if not slash and not member.folder:
        raise refused(f"{member.path!a} is outside the bundle's folder", "wrong-folder")
    if top not in (None, first):
        raise refused(f"the archive unpacks to two folders, {top!a} and {first!a}", "wrong-folder")
    return first


def _require_used(folders: set[str], files: set[str]) -> None:
    needed = {path[:index] for path in files for index, letter in enumerate(path) if letter == "/"}
    for folder in sorted(folders - needed):
        raise refused(f"the bundle contains a folder without files: {folder!a}", "extra-folder")


def require_packable(paths: Iterable[str]) -> None:
    """Raise :class:`WriteError` unless every target system can store ``paths`` side by side."""
    faults = name_faults(paths)
    if faults:
        raise WriteError(
            "the bundle would contain names that a target cannot store",
            details=faults[:20],
            do="rename the files, or change the bundle's name or version",
        )
