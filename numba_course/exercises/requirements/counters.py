"""What compiled code reads and does in a call, counted by counters in the code itself: nothing depends on a clock."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import llvmlite.binding as llvm
from numba.core.codegen import JITCPUCodegen
from numba.core.dispatcher import Dispatcher

from numba_course.lens.compiled import dispatchers

ELEMENTS = r"(?:<(?:vscale x )?(\d+) x )?"
READS = re.compile(rf" = load (?:volatile )?{ELEMENTS}(?:double|float|half|i\d+)\b")
WRITES = re.compile(rf"^  store (?:volatile )?{ELEMENTS}(?:double|float|half|i\d+)\b")
COMPUTES = re.compile(rf" = f(?:add|sub|mul|div|neg|cmp) (?:[a-z]+ )*{ELEMENTS}(?:double|float|half)\b")
MOVES = re.compile(r"call void @llvm\.mem(?:cpy|move|set)\..*, i64 (\S+), i1 ")  # of so many bytes
PRODUCT = re.compile(r"call .*@numba_xx(?:dot|gemv|gemm)\((.*)\)")  # of BLAS; its sizes are its only int64
PYTHON = re.compile(r"call .*@PyObject_Call")
STARTS = re.compile(r"^(?:[-\w.$]+|\"[^\"]+\"):")  # a block
FIRST = re.compile(r"^  %\S+ = phi |^\s*#dbg_|^\s*;")  # what must stay the first in a block
NUMBER = 8  # bytes


@dataclass(frozen=True)
class Counts:
    """What a call does: elements that are read several at a time, those read one by one, and all work together."""

    read_packed: int
    read_one_by_one: int
    work: int


class Counted:
    """A copy of a compiled function, and of all that it calls, that counts what it does, on one thread.

    Attributes
    ----------
    calls_python : bool
        Whether compiled code calls Python, where nothing is counted; known after a call.
    """

    def __init__(self, function: Dispatcher) -> None:
        self.calls_python = False
        self._function = dispatchers.rebuilt(function, parallel=False)
        self._packed, self._single, self._work = (ctypes.c_int64() for _ in range(3))

    def counts(self, args: tuple[Any, ...]) -> Counts:
        """Call it; what the compiler or the function raises is raised."""
        with self._counting():
            dispatchers.compiled_for(self._function, args)
        places = (self._packed, self._single, self._work)
        before = [place.value for place in places]
        self._function(*args)
        return Counts(*(place.value - old for place, old in zip(places, before, strict=True)))

    @contextmanager
    def _counting(self) -> Iterator[None]:
        finish = JITCPUCodegen._add_module

        def add_module(codegen, module):
            text = str(module)
            functions = re.split(r"^(?=define )|(?<=^}\n)", text, flags=re.MULTILINE)
            twin = llvm.parse_assembly("".join(map(self._with_counters, functions)))
            twin.name = module.name
            return finish(codegen, twin)

        with mock.patch.object(JITCPUCodegen, "_add_module", add_module):
            yield

    def _with_counters(self, function):
        """The text of a function that counts; other text as it is, and what only converts Python's objects."""
        if not function.startswith("define ") or re.search(r'@"?(?:_ZN7cpython|cfunc\.)', function[:200]):
            return function
        self.calls_python |= bool(PYTHON.search(function))
        head, *rows = function.splitlines()
        blocks = [[]]
        for row in rows:
            if STARTS.match(row):
                blocks.append([])
            blocks[-1].append(row)
        head = head.replace("define linkonce_odr ", "define internal ")  # none of another module's
        done = [head, *(row for number, block in enumerate(blocks) for row in self._block(block, number))]
        return "\n".join(done) + "\n"

    def _block(self, rows, number):
        """The rows of a block, with what it adds to the counters before its first row that does something."""
        start = next(
            (i for i, row in enumerate(rows) if not (STARTS.match(row) or FIRST.match(row))), len(rows)
        )
        reads = [int(found[1] or 1) for row in rows if (found := READS.search(row))]
        others = [
            int(found[1] or 1) for row in rows for kind in (WRITES, COMPUTES) if (found := kind.search(row))
        ]
        packed, single = sum(n for n in reads if n > 1), reads.count(1)
        added = [(self._packed, packed), (self._single, single), (self._work, packed + single + sum(others))]
        yield from rows[:start]
        for kind, (place, count) in enumerate(added):
            if count:
                yield from _adding(place, str(count), f"{number}.{kind}")
        for index, row in enumerate(rows[start:]):
            name = f"{number}.row{index}"
            if moves := MOVES.search(row):
                yield f"  %elements.{name} = sdiv i64 {moves[1]}, {NUMBER}"
                yield from _adding(self._work, f"%elements.{name}", name)
            elif product := PRODUCT.search(row):
                sizes = re.findall(r"\bi64 (?:noundef )?(\S+?)(?=,|$)", product[1])
                yield from _adding(self._work, sizes[0], name)
            yield row


def _adding(place, count, name):
    """LLVM IR that adds to a counter."""
    address = f"ptr inttoptr (i64 {ctypes.addressof(place)} to ptr)"
    yield f"  %before.{name} = load i64, {address}"
    yield f"  %after.{name} = add i64 %before.{name}, {count}"
    yield f"  store i64 %after.{name}, {address}"
