"""Takes numbers, bits and names from the bytes of a 7z header, none of which costs more than the header holds.

Format: 7zFormat.txt of the LZMA SDK.
"""

from __future__ import annotations

from enum import IntEnum

from bundler.formats.parse_error import ParseError

MAX_COUNT = 1 << 16
"""Of any kind of thing in a header, more than a bundle has."""


class Property(IntEnum):
    """The identifiers of 7zFormat.txt, section "Property IDs"."""

    END = 0x00
    HEADER = 0x01
    STREAMS = 0x04
    FILES = 0x05
    PACK = 0x06
    UNPACK = 0x07
    SUBSTREAMS = 0x08
    SIZE = 0x09
    CRC = 0x0A
    FOLDER = 0x0B
    UNPACK_SIZE = 0x0C
    NUMBER_OF_FILES = 0x0D
    EMPTY_STREAM = 0x0E
    NAMES = 0x11
    MODIFIED = 0x14
    ATTRIBUTES = 0x15
    ENCODED_HEADER = 0x17
    DUMMY = 0x19


class SevenZipError(ParseError):
    """The bytes are no header of a 7z; reason ``foreign`` where no bundle has such a one."""


class Source:
    """The bytes of a header, read from start to end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, length: int) -> bytes:
        if not 0 <= length <= len(self._data) - self._at:
            raise SevenZipError("a header ends before what it announces")
        self._at += length
        return self._data[self._at - length : self._at]

    def byte(self) -> int:
        return self.take(1)[0]

    def expect(self, kind: Property) -> None:
        self.require(kind, self.byte())

    def require(self, kind: Property, found: int) -> None:
        if found != kind:
            raise SevenZipError(f"a header has {found:#04x} where a bundle has {kind.value:#04x}", reason="foreign")

    def require_end(self) -> None:
        if self._at != len(self._data):
            raise SevenZipError("something follows the end of a header", reason="foreign")

    def number(self) -> int:
        first = self.byte()
        extra = next((at for at in range(8) if not first & 0x80 >> at), 8)
        return (first & (0x7F >> extra)) << 8 * extra | int.from_bytes(self.take(extra), "little")

    def count(self, bits: int = 8) -> int:
        """A number of things of at least ``bits`` bits each in the rest of the header."""
        value = self.number()
        if value > MAX_COUNT:
            raise SevenZipError(f"a header lists {value} things of one kind", reason="too-big")
        if value * bits > 8 * (len(self._data) - self._at):
            raise SevenZipError("a header announces more than it holds")
        return value

    def numbers(self, count: int) -> tuple[int, ...]:
        return tuple(self.number() for _ in range(count))

    def bits(self, count: int) -> tuple[bool, ...]:
        held = self.take(-(-count // 8))
        return tuple(bool(held[at // 8] & 0x80 >> at % 8) for at in range(count))

    def defined(self, count: int) -> tuple[bool, ...]:
        return (True,) * count if self.byte() else self.bits(count)

    def values(self, defined: tuple[bool, ...], width: int) -> tuple[int | None, ...]:
        return tuple(int.from_bytes(self.take(width), "little") if one else None for one in defined)

    def text(self) -> str:
        """UTF-16 up to a zero."""
        end = self._data.find(b"\0\0", self._at)
        while end >= 0 and (end - self._at) % 2:
            end = self._data.find(b"\0\0", end + 1)
        if end < 0:
            raise SevenZipError("a header ends inside a name")
        return self.take(end - self._at + 2)[:-2].decode("utf-16-le", "surrogatepass")

    def inside(self) -> None:
        """Values may lie in another stream; those of a bundle never do."""
        if self.byte():
            raise SevenZipError("a header keeps values outside itself", reason="foreign")
