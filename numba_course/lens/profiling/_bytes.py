"""Read numbers and texts from bytes, in the forms that ELF and DWARF have."""

from __future__ import annotations

import struct


def text_at(content: bytes, offset: int) -> str:
    """The text that begins at an offset and ends with a zero."""
    return content[offset : content.index(0, offset)].decode(errors="replace")


class Reader:
    """Reads one value after the other; `start` is where its unit begins."""

    def __init__(self, content: bytes, at: int, start: int = 0) -> None:
        self.content, self.at, self.start = content, at, start

    def fixed(self, kind: str) -> int:
        """A number of a kind that `struct` knows."""
        (value,) = struct.unpack_from(f"<{kind}", self.content, self.at)
        self.at += struct.calcsize(f"<{kind}")
        return value

    def unsigned(self) -> int:
        """A number in pieces of seven bits, the lowest first."""
        value = shift = 0
        while True:
            byte = self.content[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def signed(self) -> int:
        """The same, of which the highest bit is the sign."""
        before = self.at
        value = self.unsigned()
        bits = 7 * (self.at - before)
        return value - (1 << bits) if value >> (bits - 1) else value

    def text(self) -> str:
        """A text that ends with a zero."""
        value = text_at(self.content, self.at)
        self.at = self.content.index(0, self.at) + 1
        return value

    def skip(self, count: int) -> None:
        """Leave out so many bytes."""
        self.at += count
