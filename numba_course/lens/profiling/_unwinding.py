"""From a sample's stack to the calls that led there.

Within compiled code the way back is exact: LLVM says of each instruction how far the return address is (DWARF's call
frame information). From inside a library the nearest word on the stack is looked for that can be a return address of
compiled code: a call stands before it, and from there on the way leads out again.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

from numba_course.lens.profiling._bytes import Reader
from numba_course.lens.profiling._elf import ObjectCode

FRAME, STACK = 6, 7  # numbers of the registers RBP and RSP in DWARF
DEEPEST = 200  # calls that are followed


class _Rule(NamedTuple):
    """How to find the frame from an address on: register and distance of its end, and where RBP was put, if it was."""

    register: int
    distance: int
    saved: int | None


class Unwinding:
    """How the functions of an object use the stack.

    Raises
    ------
    ValueError
        If it is told in a form that LLVM does not write for such code.
    """

    def __init__(self, found: ObjectCode) -> None:
        self._starts: list[int] = []
        self._rules: list[_Rule | None] = []
        try:
            for start, rule in sorted(_rules(found), key=lambda pair: (pair[0], pair[1] is not None)):
                self._starts.append(start)
                self._rules.append(rule)
        except (IndexError, KeyError, struct.error) as error:
            raise ValueError("its frame information cannot be read") from error

    def rule(self, address: int) -> _Rule | None:
        """The rule at an address in the object; None where there is none."""
        index = bisect_right(self._starts, address) - 1
        return self._rules[index] if index >= 0 else None


def _rules(found):
    """(address, rule) from each address on at which the rule changes."""
    yield from _Entries(found.frames, found.frame_starts).rules()
    yield from _Entries(found.sections.get(".debug_frame", b"")).rules()


class _Entries:
    """The entries of ``.eh_frame``, or of ``.debug_frame``, which LLVM writes where no function needs the other.

    Parameters
    ----------
    content : bytes
    starts : dict, optional
        Of ``.eh_frame``: where code begins, by the place of that number.
    """

    def __init__(self, content: bytes, starts: dict[int, int] | None = None) -> None:
        self.content, self.starts = content, starts
        self.common: dict[int, _Common] = {}

    def rules(self):
        reader = Reader(self.content, 0)
        while reader.at < len(self.content):
            start = reader.at
            length = reader.fixed("I")
            if length == 0:
                return
            end, at_pointer = reader.at + length, reader.at
            pointer = reader.fixed("I")
            if pointer == (0xFFFFFFFF if self.starts is None else 0):
                self.common[start] = self._common(reader, end)
            else:
                known = self.common[pointer if self.starts is None else at_pointer - pointer]
                yield from self._of_function(reader, end, known)
            reader.at = end

    def _of_function(self, reader, end, common):
        """The rules of one function."""
        kind = "q" if common.is_wide else "i"
        at = reader.at
        low, size = reader.fixed(kind), reader.fixed(kind)
        if self.starts is not None:
            low = self.starts[at]
            reader.skip(reader.unsigned())
        machine = _Machine(low, common.code, common.data)
        machine.run(Reader(self.content, common.first), common.end)
        machine.begin()
        yield low, machine.rule()
        yield from machine.run(reader, end)
        yield low + size, None

    def _common(self, reader, end):
        """What some functions have in common."""
        version, augmentation = reader.fixed("B"), reader.text()
        if version not in (1, 4) or (self.starts is None) != (augmentation == ""):
            raise ValueError(f"frame information of version {version} and form {augmentation!r} is not known")
        reader.skip(2 if version == 4 else 0)  # sizes of addresses
        code, data, _ = reader.unsigned(), reader.signed(), reader.unsigned()
        if self.starts is None:
            return _Common(code, data, reader.at, end, True)
        if not augmentation.startswith("z"):
            raise ValueError(f"frame information of the form {augmentation!r} is not known")
        length = reader.unsigned()
        after, is_wide = reader.at + length, False
        for letter in augmentation[1:]:
            if letter == "R":
                is_wide = reader.fixed("B") & 0x0F in (0x00, 0x0C)  # addresses of eight bytes
            elif letter == "P":
                reader.skip({0x00: 8, 0x03: 4, 0x0B: 4, 0x0C: 8}[reader.fixed("B") & 0x0F])
            else:
                reader.fixed("B")
        return _Common(code, data, after, end, is_wide)


class _Common(NamedTuple):
    """What some functions have in common: units of code and data, first instructions, whether addresses are wide."""

    code: int
    data: int
    first: int
    end: int
    is_wide: bool


class _Machine:
    """What the instructions of frame information are for."""

    def __init__(self, address, code, data):
        self.address, self.code, self.data = address, code, data
        self.register, self.distance, self.saved = STACK, 8, None
        self.at_first, self.kept = None, []

    def rule(self):
        return _Rule(self.register, self.distance, self.saved)

    def begin(self):
        """The rules that all functions begin with are done."""
        self.at_first = self.saved

    def run(self, reader, end):
        """(address, rule) whenever the address moves on; a list, so that what is common runs, too."""
        found = []
        while reader.at < end:
            code = reader.fixed("B")
            kind, small = code & 0xC0, code & 0x3F
            moved = self._moved(reader, kind, small, code)
            if moved:
                found.append((self.address, self.rule()))
                self.address += moved * self.code
            elif kind == 0x80:
                self._put(small, reader.unsigned() * self.data)
            elif kind == 0xC0:
                self._put(small, self.at_first)
            elif not kind:
                self._other(reader, code)
        return [*found, (self.address, self.rule())]

    def _moved(self, reader, kind, small, code):
        if kind == 0x40:
            return small
        return reader.fixed({2: "B", 3: "H", 4: "I"}[code]) if code in (2, 3, 4) else 0

    def _put(self, register, where):
        if register == FRAME:
            self.saved = where

    def _other(self, reader, code):
        if code == 0x0C:  # DW_CFA_def_cfa
            self.register, self.distance = reader.unsigned(), reader.unsigned()
        elif code == 0x0D:
            self.register = reader.unsigned()
        elif code == 0x0E:
            self.distance = reader.unsigned()
        elif code == 0x0A:  # DW_CFA_remember_state
            self.kept.append((self.register, self.distance, self.saved))
        elif code == 0x0B:
            self.register, self.distance, self.saved = self.kept.pop()
        elif code == 0x05:
            self._put(reader.unsigned(), reader.unsigned() * self.data)
        elif code == 0x2E:  # size of arguments: nothing for us
            reader.unsigned()
        elif code != 0:
            raise ValueError(f"frame information with the instruction {code:#x} is not known")


class Stack:
    """A piece of a thread's stack, as a sample has it.

    Parameters
    ----------
    start : int
        The stack pointer.
    frame : int
        The register RBP.
    words : sequence of int
        What lies there, from the stack pointer on.
    rule_of : callable
        The rule at an address in the process; None outside compiled code.
    is_return : callable
        Whether an address can be one to which a call in compiled code returns.
    """

    def __init__(
        self,
        start: int,
        frame: int,
        words: Sequence[int],
        rule_of: Callable[[int], _Rule | None],
        is_return: Callable[[int], bool],
    ) -> None:
        self.start, self.frame, self.words = start, frame, words
        self.rule_of, self.is_return = rule_of, is_return

    def calls(self, address: int) -> tuple[list[int], bool]:
        """Addresses in the calls of compiled code that led to an address, the innermost first; it is not among them.

        Whether they are all there, until compiled code was entered, is told, too.
        """
        if self.rule_of(address) is not None:
            return self._followed(address, self.start, self.frame)
        best: tuple[list[int], bool] = [], False
        for place, word in enumerate(self.words):
            if not self.is_return(word):
                continue
            found, complete = self._followed(word - 1, self.start + 8 * (place + 1), self.frame)
            if complete:
                return [word - 1, *found], True
            best = best if best[0] else ([word - 1, *found], False)
        return best

    def _followed(self, address, stack, frame):
        """The calls that led to an address in compiled code, while these registers were as given."""
        found = []
        while len(found) < DEEPEST:
            rule = self.rule_of(address)
            if rule is None:
                return found, True
            end = (stack if rule.register == STACK else frame) + rule.distance
            back = self._word(end - 8)
            if back is None or end <= stack:
                return found, False
            if rule.saved is not None:
                frame = self._word(end + rule.saved) or 0
            stack = end
            if self.rule_of(back - 1) is None:
                return found, True
            if not self.is_return(back):
                return found, False
            address = back - 1
            found.append(address)
        return found, False

    def _word(self, address):
        place, rest = divmod(address - self.start, 8)
        return self.words[place] if 0 <= place < len(self.words) and not rest else None
