"""Read relocatable object code in the ELF format of x86-64: its machine code, functions, and sections of DWARF.

So little is needed of it that a package that reads all of ELF and DWARF is none of ours: LLVM writes these files a
moment before they are read here, always in the same form, and what has another form is refused.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from numba_course.lens.profiling._bytes import text_at

MAGIC = b"\x7fELF\x02\x01"  # 64 bits, little endian
X86_64 = 62
SYMBOLS, RELOCATIONS = 2, 4  # kinds of sections
EXECUTABLE = 4  # a flag of sections
FUNCTION, STRONG = 2, 1  # of symbols
WIDTHS = {1: 8, 10: 4, 11: 4}  # bytes that R_X86_64_64, _32 and _32S put down


class Function(NamedTuple):
    """A function of the object: where it begins and how long it is; a strong name is there once in a process."""

    name: str
    start: int
    size: int
    is_strong: bool


@dataclass(frozen=True)
class ObjectCode:
    """What is read of an object.

    Attributes
    ----------
    code : bytes
        The one section of machine code; places in it are distances from its beginning.
    functions : tuple of Function
    sections : dict
        The sections of DWARF by name, with relocations done as if the code began at address 0.
    filled_in : tuple of int
        Places in the code where the loader puts addresses, of eight bytes at most.
    frames : bytes
        How functions use the stack (``.eh_frame``).
    frame_starts : dict
        Where the code begins that an entry of `frames` is about, by the place of that number in `frames`.
    """

    code: bytes
    functions: tuple[Function, ...]
    sections: dict[str, bytes]
    filled_in: tuple[int, ...]
    frames: bytes
    frame_starts: dict[int, int]


class _Section(NamedTuple):
    name: str
    kind: int
    flags: int
    content: bytes
    link: int
    target: int


def read(content: bytes) -> ObjectCode | None:
    """Read an object; None if it holds no machine code.

    Raises
    ------
    ValueError
        If it is no such object, or has machine code in several sections.
    """
    if content[:6] != MAGIC or struct.unpack_from("<H", content, 18)[0] != X86_64:
        raise ValueError("this is no object code of x86-64 in the ELF format")
    sections = _sections(content)
    with_code = [i for i, section in enumerate(sections) if section.flags & EXECUTABLE and section.content]
    if not with_code:
        return None
    if len(with_code) > 1:
        raise ValueError("machine code lies in several sections")
    symbols = _symbols(sections)
    functions = tuple(
        Function(name, value, size, info >> 4 == STRONG)
        for name, info, index, value, size in symbols
        if index == with_code[0] and info & 15 == FUNCTION
    )
    frames = next((i for i, section in enumerate(sections) if section.name == ".eh_frame"), 0)
    return ObjectCode(
        sections[with_code[0]].content,
        functions,
        _relocated(sections, symbols),
        tuple(offset for offset, _, _ in _relocations(sections, with_code[0])),
        sections[frames].content,
        {at: symbols[info >> 32][3] + addend for at, info, addend in _relocations(sections, frames)},
    )


def _sections(content):
    (start,) = struct.unpack_from("<Q", content, 40)
    size, count, of_names = struct.unpack_from("<HHH", content, 58)
    headers = [struct.unpack_from("<IIQQQQII", content, start + i * size) for i in range(count)]
    names = headers[of_names]
    found = []
    for name, kind, flags, _, offset, length, link, target in headers:
        inside = content[offset : offset + length] if kind != 8 else b""  # SHT_NOBITS has none in the file
        found.append(_Section(text_at(content, names[4] + name), kind, flags, inside, link, target))
    return found


def _symbols(sections):
    """(name, info, section, value, size) of each symbol, in their order."""
    found = []
    for section in sections:
        if section.kind == SYMBOLS:
            names = sections[section.link].content
            for name, info, _, index, value, size in struct.iter_unpack("<IBBHQQ", section.content):
                found.append((text_at(names, name), info, index, value, size))
    return found


def _relocations(sections, index):
    """(place, symbol and kind, addend) of whatever the loader puts into a section."""
    for section in sections:
        if section.kind == RELOCATIONS and section.target == index:
            yield from struct.iter_unpack("<QQq", section.content)


def _relocated(sections, symbols):
    found = {}
    for index, section in enumerate(sections):
        if section.name[:7] == ".debug_":
            found[section.name] = content = bytearray(section.content)
            for offset, info, addend in _relocations(sections, index):
                width = WIDTHS.get(info & 0xFFFFFFFF)
                if width is None:
                    raise ValueError(f"relocations of kind {info & 0xFFFFFFFF} are not known")
                value = symbols[info >> 32][3] + addend
                content[offset : offset + width] = (value & (1 << 8 * width) - 1).to_bytes(width, "little")
    return {name: bytes(content) for name, content in found.items()}
