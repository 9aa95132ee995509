"""Read DWARF, version 4, as LLVM writes it for lines alone: of an address, its line and what was inlined around it."""

from __future__ import annotations

import struct
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from numba_course.lens.profiling._bytes import Reader, text_at

COMPILE_UNIT, SUBPROGRAM, INLINED = 0x11, 0x2E, 0x1D  # tags
NAME, LINES, LOW, HIGH, ORIGIN, RANGES = 0x03, 0x10, 0x11, 0x12, 0x31, 0x55  # attributes
CALL_FILE, CALL_LINE = 0x58, 0x59
ADDRESS_FORM = 0x01
FIXED = {0x01: "Q", 0x05: "H", 0x06: "I", 0x07: "Q", 0x0B: "B", 0x0C: "B", 0x0E: "I", 0x10: "I", 0x17: "I"}
RELATIVE = {0x11: "B", 0x12: "H", 0x13: "I", 0x14: "Q"}  # forms of a place in the same unit
NOTHING = 0  # a line that says that there is none


class Frame(NamedTuple):
    """A place in the source; `line` is 0 where there is none, `function` empty where it is not known."""

    file: str
    line: int
    function: str


@dataclass(eq=False)
class _Entry:
    """A function, or a copy of one that was inlined, and those that were inlined into it."""

    tag: int
    values: dict[int, Any]
    unit: _Unit
    inside: list[_Entry] = field(default_factory=list)
    spans: tuple[tuple[int, int], ...] = ()


@dataclass
class _Unit:
    """What a function was compiled as: the files that it names, and where its addresses count from."""

    files: list[str]
    base: int
    functions: list[_Entry] = field(default_factory=list)


class Lines:
    """The source of the machine code of one object.

    Parameters
    ----------
    sections : dict
        Sections of DWARF by name, as `_elf.read` gives them.

    Raises
    ------
    ValueError
        If they are of another version, or hold what LLVM does not write for lines alone.
    """

    def __init__(self, sections: dict[str, bytes]) -> None:
        self._sections = sections
        self._by_offset: dict[int, _Entry] = {}
        self._rows: list[tuple[int, str, int]] = []  # address, file, line
        self._functions: list[_Entry] = []
        self._files: dict[int, list[str]] = {}
        try:
            self._read_units()
        except (struct.error, IndexError, KeyError) as error:
            raise ValueError(f"its debug information cannot be read: {error!r}") from error
        self._rows.sort(key=lambda row: row[0])
        self._starts = [row[0] for row in self._rows]

    def frames(self, address: int) -> tuple[Frame, ...]:
        """Where an address comes from: its own place first, then that of the call which was inlined, and so on."""
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return ()
        _, file, line = self._rows[index]
        found = []
        for entry in self._chain(address):
            found.append(Frame(file, line, self._name(entry)))
            number = entry.values.get(CALL_FILE, 0)
            file = entry.unit.files[number - 1] if 0 < number <= len(entry.unit.files) else ""
            line = entry.values.get(CALL_LINE, NOTHING)
        return tuple(found) or (Frame(file, line, ""),)

    def following(self, address: int) -> int:
        """An address near by in the same function, inlined or not, that has a line: behind it, or else before it.

        LLVM gives none to some of the instructions that it makes up or moves; what they are for comes later.
        """
        chain, index = self._chain(address), bisect_right(self._starts, address)
        if not chain:
            return address
        low, high = next((low, high) for low, high in chain[-1].spans if low <= address < high)
        for row in (*range(index, len(self._rows)), *range(index - 1, -1, -1)):
            at, _, line = self._rows[row]
            if line and low <= at < high and self._chain(at) == chain:
                return at
        return address

    def _chain(self, address):
        """What is inlined at an address, the innermost first, and the function around it last."""
        chain, level = [], self._functions
        while True:
            inner = next((e for e in level if any(low <= address < high for low, high in e.spans)), None)
            if inner is None:
                return chain[::-1]
            chain.append(inner)
            level = inner.inside

    def _name(self, entry):
        origin = entry
        while NAME not in origin.values and ORIGIN in origin.values:
            origin = self._by_offset[origin.values[ORIGIN]]
        return origin.values.get(NAME, "")

    def _read_units(self):
        info, at = self._sections.get(".debug_info", b""), 0
        while at < len(info):
            length, version, abbreviations, width = struct.unpack_from("<IHIB", info, at)
            if version != 4 or width != 8:
                raise ValueError(f"DWARF of version {version} is not known")
            self._read_unit(Reader(info, at + 11, at), at + 4 + length, self._kinds(abbreviations))
            at += 4 + length
        self._set_spans(self._functions)

    def _read_unit(self, reader, end, kinds):
        """All entries of a unit: functions of the object, and those of which copies were inlined."""
        unit, open_entries = None, []
        while reader.at < end:
            offset, code = reader.at, reader.unsigned()
            if code == 0:
                if open_entries:
                    open_entries.pop()
                continue
            tag, has_children, forms = kinds[code]
            values = {attribute: self._value(reader, form) for attribute, form in forms}
            if tag == COMPILE_UNIT:
                unit = _Unit(self._files_of(values), values.get(LOW, (0, 0))[1])
            entry = _Entry(tag, values, unit)
            self._by_offset[offset] = entry
            around = next((e for e in reversed(open_entries) if e.tag in (SUBPROGRAM, INLINED)), None)
            if tag == INLINED and around is not None:
                around.inside.append(entry)
            elif tag == SUBPROGRAM:
                self._functions.append(entry)
            if has_children:
                open_entries.append(entry)

    def _kinds(self, at):
        """What the numbers of entries mean: a tag, whether there are children, attributes with their forms."""
        reader, kinds = Reader(self._sections[".debug_abbrev"], at), {}
        while (code := reader.unsigned()) != 0:
            tag, has_children, forms = reader.unsigned(), reader.fixed("B"), []
            while (pair := (reader.unsigned(), reader.unsigned())) != (0, 0):
                forms.append(pair)
            kinds[code] = tag, has_children, forms
        return kinds

    def _value(self, reader, form):
        """A value; of an address, a pair, to be told apart from a length."""
        if form == ADDRESS_FORM:
            return "address", reader.fixed("Q")
        if form == 0x0E:
            return text_at(self._sections[".debug_str"], reader.fixed("I"))
        if form in FIXED:
            return reader.fixed(FIXED[form])
        if form in RELATIVE:
            return reader.start + reader.fixed(RELATIVE[form])
        if form == 0x08:
            return reader.text()
        if form == 0x0F:
            return reader.unsigned()
        if form == 0x0D:
            return reader.signed()
        if form == 0x19:  # there is nothing but the attribute
            return True
        if form == 0x18:
            return reader.skip(reader.unsigned())
        raise ValueError(f"values of form {form:#x} are not known")

    def _set_spans(self, entries):
        for entry in entries:
            entry.spans = self._spans(entry)
            self._set_spans(entry.inside)

    def _spans(self, entry):
        values = entry.values
        if RANGES in values:
            return tuple(self._ranges(values[RANGES], entry.unit.base))
        if LOW not in values:
            return ()
        low, high = values[LOW][1], values[HIGH]
        return ((low, high[1] if isinstance(high, tuple) else low + high),)

    def _ranges(self, at, base):
        content = self._sections[".debug_ranges"]
        while (pair := struct.unpack_from("<QQ", content, at)) != (0, 0):
            if pair[0] == (1 << 64) - 1:
                base = pair[1]
            else:
                yield base + pair[0], base + pair[1]
            at += 16

    def _files_of(self, values):
        """The files that the table of a unit names; its rows are read with it."""
        at = values.get(LINES)
        if at is None:
            return []
        if at not in self._files:
            table = _Table(self._sections[".debug_line"], at)
            self._files[at] = table.files
            self._rows += table.rows()
        return self._files[at]


class _Table:
    """A table of lines: a program for a small machine, which tells of each address its line."""

    def __init__(self, content: bytes, at: int) -> None:
        reader = Reader(content, at)
        self._end = reader.fixed("I") + reader.at
        version = reader.fixed("H")
        if version != 4:
            raise ValueError(f"a table of lines of version {version} is not known")
        program = reader.fixed("I") + reader.at
        self._step, _, _ = reader.fixed("B"), reader.fixed("B"), reader.fixed("B")
        self._line_base, self._line_range = reader.fixed("b"), reader.fixed("B")
        self._first_special = reader.fixed("B")
        self._lengths = [reader.fixed("B") for _ in range(self._first_special - 1)]
        folders = [""]
        while folder := reader.text():
            folders.append(folder)
        self.files: list[str] = []
        while name := reader.text():
            folder, _, _ = folders[reader.unsigned()], reader.unsigned(), reader.unsigned()
            self.files.append(f"{folder}/{name}" if folder else name)
        reader.at = program
        self._reader = reader

    def rows(self):
        """(address, file, line) of each row; where a sequence ends, what follows has no line."""
        reader = self._reader
        address, file, line = 0, 1, 1
        while reader.at < self._end:
            code = reader.fixed("B")
            if code >= self._first_special:
                advance, forward = divmod(code - self._first_special, self._line_range)
                address, line = address + advance * self._step, line + self._line_base + forward
                yield address, self._name(file), line
            elif code == 0:
                next_one = reader.unsigned() + reader.at
                what = reader.fixed("B")
                if what == 1:
                    yield address, "", NOTHING
                    address, file, line = 0, 1, 1
                elif what == 2:
                    address = reader.fixed("Q")
                reader.at = next_one
            elif code == 1:
                yield address, self._name(file), line
            elif code == 2:
                address += reader.unsigned() * self._step
            elif code == 3:
                line += reader.signed()
            elif code == 4:
                file = reader.unsigned()
            elif code == 8:
                address += (255 - self._first_special) // self._line_range * self._step
            elif code == 9:
                address += reader.fixed("H")
            else:  # columns and what debuggers want to know
                for _ in range(self._lengths[code - 1]):
                    reader.unsigned()

    def _name(self, number):
        return self.files[number - 1] if 0 < number <= len(self.files) else ""
