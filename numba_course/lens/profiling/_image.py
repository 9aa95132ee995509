"""What was loaded where in the process that is sampled: compiled code and libraries, in a folder that outlives it."""

from __future__ import annotations

import ctypes
import os
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from numba.core.registry import cpu_target

from numba_course.lens.profiling import _elf
from numba_course.lens.profiling._dwarf import Frame, Lines
from numba_course.lens.profiling._unwinding import Stack, Unwinding

MAPS, SAMPLES = "maps", "samples"  # files in the folder, beside objects that are named after their address
COMPILED = "compiled code without lines"


class Record:
    """Writes down what is loaded in this process, as more is compiled.

    Parameters
    ----------
    folder : str
    objects : list of bytes
        Object code that Numba has compiled and loaded; it grows.

    Attributes
    ----------
    spans : list of (int, int)
        Memory with compiled code, each from and to.
    """

    def __init__(self, folder: str, objects: list[bytes]) -> None:
        self.folder, self.objects, self.spans = folder, objects, []
        self._done = 0

    def is_renewed(self) -> bool:
        """Bring it up to date; whether anything was compiled since the last time."""
        before, self._done = self._done, len(self.objects)
        for content in self.objects[before : self._done]:
            self._write(content)
        Path(self.folder, MAPS).write_text(Path("/proc/self/maps").read_text())
        return self._done > before

    def _write(self, content):
        try:
            found = _elf.read(content)
        except ValueError:
            return  # its samples are told to have no lines
        if found is not None and (start := _loaded_at(found)) is not None:
            Path(self.folder, f"{start:x}.o").write_bytes(content)
            self.spans.append((start, start + len(found.code)))


def _loaded_at(found):
    """Where the code of an object begins; None if it is not found: another copy of its functions may be in use."""
    engine = cpu_target.target_context.codegen()._engine
    for function in sorted(found.functions, key=lambda function: not function.is_strong):
        address = engine.get_function_address(function.name)
        start = address - function.start
        if address and _is_there(found, start):
            return start
    return None


def _is_there(found, start):
    """Whether the code lies at an address, apart from what the loader fills in."""
    low, high = _executable_around(start)
    if not low <= start <= high - len(found.code):
        return False
    there, ours = bytearray(ctypes.string_at(start, len(found.code))), bytearray(found.code)
    for place in found.filled_in:
        there[place : place + 8] = ours[place : place + 8] = bytes(len(ours[place : place + 8]))
    return there == ours


def _executable_around(address):
    for low, high, rights, _ in _mappings(Path("/proc/self/maps").read_text()):
        if low <= address < high and rights[0] + rights[2] == "rx":
            return low, high
    return 0, 0


def _mappings(text):
    """(low, high, rights, name) of each mapping of a process."""
    for line in text.splitlines():
        span, rights, _, _, _, *name = line.split(maxsplit=5)
        low, _, high = span.partition("-")
        yield int(low, 16), int(high, 16), rights, name[0] if name else ""


@dataclass(frozen=True)
class _Loaded:
    """An object and where it lies."""

    start: int
    code: bytes
    lines: Lines
    unwinding: Unwinding
    targets: frozenset[int]


class Image:
    """The process, as `keep` has written it down.

    Parameters
    ----------
    folder : str
    """

    def __init__(self, folder: str) -> None:
        self._loaded = sorted(_read_objects(folder), key=lambda loaded: loaded.start)
        self._starts = [loaded.start for loaded in self._loaded]
        self._mappings = sorted(_mappings(Path(folder, MAPS).read_text()))
        self.frames = lru_cache(maxsize=None)(self._frames)
        self.rule = lru_cache(maxsize=None)(self._rule)
        self.is_return = lru_cache(maxsize=None)(self._is_return)

    def stack(self, start: int, frame: int, words: list[int]) -> Stack:
        """A piece of a stack of this process."""
        return Stack(start, frame, words, self.rule, self.is_return)

    def knows(self, address: int) -> bool:
        """Whether it lies in compiled code of which the lines are known."""
        return self._at(address) is not None

    def _frames(self, address: int) -> tuple[Frame, ...]:
        """The place of an address in the source, and those of the calls that were inlined around it."""
        loaded = self._at(address)
        return loaded.lines.frames(address - loaded.start) if loaded else ()

    def cause(self, address: int) -> int:
        """An address in the instruction that a thread spent its time on, of one at which it was interrupted.

        A processor lets itself be interrupted when an instruction is done, and so it is mostly found behind the one
        that took long. Where a jump may lead to the address, the one before it in memory need not have run.
        """
        loaded = self._at(address - 1)
        if loaded is None or address - loaded.start in loaded.targets:
            return address
        return address - 1

    def following(self, address: int) -> int:
        """An address near by in the same function that has a line, as `Lines.following` finds it."""
        loaded = self._at(address)
        return loaded.start + loaded.lines.following(address - loaded.start) if loaded else address

    def library(self, address: int) -> str:
        """Name of the library that holds an address, or what else lies there."""
        mapping = self.mapping(address)
        if mapping is None or not mapping[3]:
            return COMPILED
        return os.path.basename(mapping[3])

    def mapping(self, address: int) -> tuple[int, int, str, str] | None:
        """The mapping that an address belongs to: from, to, rights, file."""
        index = bisect_right(self._mappings, (address, 1 << 64)) - 1
        if index >= 0 and self._mappings[index][0] <= address < self._mappings[index][1]:
            return self._mappings[index]
        return None

    def _at(self, address):
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        loaded = self._loaded[index]
        return loaded if address < loaded.start + len(loaded.code) else None

    def _rule(self, address):
        loaded = self._at(address)
        return loaded.unwinding.rule(address - loaded.start) if loaded else None

    def _is_return(self, address):
        """Whether a call stands before an address, in compiled code."""
        loaded = self._at(address - 1)
        if loaded is None:
            return False
        code, end = loaded.code, address - loaded.start
        if end >= 5 and code[end - 5] == 0xE8:
            return True
        return any(_is_indirect_call(code[end - length : end]) for length in (2, 3, 4, 6, 7) if end >= length)


def _is_indirect_call(code):
    """Whether these bytes are a call to an address in a register or in memory."""
    if code[0] in range(0x40, 0x50):  # a prefix for the registers R8 to R15
        return len(code) > 2 and _is_indirect_call(code[1:])
    if code[0] != 0xFF or code[1] >> 3 & 7 != 2:
        return False
    mode, base = code[1] >> 6, code[1] & 7
    extra = 1 if mode != 3 and base == 4 else 0
    distance = {0: 4 if base == 5 else 0, 1: 1, 2: 4, 3: 0}[mode]
    return len(code) == 2 + extra + distance


def _loaded(start, found):
    begins = [function.start for function in found.functions]
    targets = frozenset([*begins, *_jump_targets(found.code)])
    return _Loaded(start, found.code, Lines(found.sections), Unwinding(found), targets)


def _jump_targets(code):
    """Where jumps may lead. Bytes that look like a jump within another instruction lead to a few too many."""
    for jump in re.finditer(rb"[\x70-\x7f\xeb]", code[:-1]):
        yield (
            jump.start()
            + 2
            + int.from_bytes(code[jump.start() + 1 : jump.start() + 2], "little", signed=True)
        )
    for jump in re.finditer(rb"\x0f[\x80-\x8f]|\xe9", code[:-4]):
        yield jump.end() + 4 + int.from_bytes(code[jump.end() : jump.end() + 4], "little", signed=True)


def _read_objects(folder):
    for path in Path(folder).glob("*.o"):
        try:
            found = _elf.read(path.read_bytes())
            if found is not None:
                yield _loaded(int(path.stem, 16), found)
        except ValueError:
            continue
