"""Count the floating-point operations that compiled code really does, by counters in the code itself."""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import llvmlite.binding as llvm
from numba.core.codegen import JITCPUCodegen

from numba_course.lens.compiled._dataflow import LABEL

ELEMENTS = r"<(?:vscale x )?(?P<elements>\d+) x "
OPERATION = re.compile(
    rf" = f(?P<name>add|sub|mul|div|rem|neg|cmp) (?:[a-z]+ )*(?:{ELEMENTS})?(?:double|float|half)\b"
)
FUSED = re.compile(rf" = .*?call (?:[a-z]+ )*(?:{ELEMENTS})?\w+>? @llvm\.(?:fma|fmuladd)\.")
INTRINSIC = re.compile(  # most processors have an instruction for each
    rf" = .*?call (?:[a-z]+ )*(?:{ELEMENTS})?(?:double|float|half)>? @(?:llvm\.)?"
    r"(?P<name>sqrt|fabs|floor|ceil|trunc|rint|nearbyint|round|roundeven|copysign"
    r"|minnum|maxnum|minimum|maximum|minimumnum|maximumnum)f?[.(]"
)
FUNCTION = re.compile(  # of the C library, which is called for each element
    rf" = .*?call (?:[a-z]+ )*(?:{ELEMENTS})?(?:double|float)>? @(?:llvm\.)?"
    r"(?P<name>cbrt|exp|exp2|expm1|log|log2|log10|log1p|pow|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh"
    r"|acosh|atanh|hypot|fmod|erf|erfc|tgamma|lgamma|ldexp)f?[.(]"
)
SUM = re.compile(rf" = .*?call (?P<flags>[a-z ]*)\w+ @llvm\.vector\.reduce\.fadd\..*{ELEMENTS}")


class Counters:
    """What a call does, as far as the modules were added by `with_counters`."""

    def __init__(self) -> None:
        self._blocks: list[
            tuple[list[tuple[str, int, bool]], ctypes.c_int64]
        ] = []  # operations, times entered

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Have all code that is compiled meanwhile count what it does."""
        finish = JITCPUCodegen._add_module

        def add_module(codegen: Any, module: Any) -> Any:
            return finish(codegen, self.with_counters(module))

        with mock.patch.object(JITCPUCodegen, "_add_module", add_module):
            yield

    def with_counters(self, module: Any) -> Any:
        """The module with a counter in each block that computes with floats; itself if there is none."""
        before, rows = len(self._blocks), []
        for function in re.split(r"^(?=define )|(?<=^}\n)", str(module), flags=re.MULTILINE):
            rows += self._counting(function.splitlines()) if function.startswith("define ") else [function]
        if len(self._blocks) == before:
            return module
        twin = llvm.parse_assembly("\n".join(rows))
        twin.name = module.name
        return twin

    def _counting(self, function):
        """The rows of a function that counts in its own memory, as threads do, and adds that up where it returns."""
        places = dict(_places(function))
        counters = dict(zip(places, range(len(self._blocks), len(self._blocks) + len(places)), strict=True))
        self._blocks += [(operations, ctypes.c_int64()) for operations in places.values()]
        function[0] = function[0].replace(
            "define linkonce_odr ", "define internal "
        )  # none of another module's
        start = 2 if LABEL.match(function[1]) else 1
        for index, row in enumerate(function):
            if index == start:
                for number in counters.values():
                    yield f"  %entered.{number} = alloca i64"
                    yield f"  store i64 0, ptr %entered.{number}"
            if index in counters:
                number = counters[index]
                yield f"  %before.{number} = load i64, ptr %entered.{number}"
                yield f"  %after.{number} = add i64 %before.{number}, 1"
                yield f"  store i64 %after.{number}, ptr %entered.{number}"
            if row.startswith("  ret "):
                for number in counters.values():
                    total = f"ptr inttoptr (i64 {ctypes.addressof(self._blocks[number][1])} to ptr)"
                    yield f"  %sum.{number}.{index} = load i64, ptr %entered.{number}"
                    yield f"  %old.{number}.{index} = atomicrmw add {total}, i64 %sum.{number}.{index} monotonic"
            yield row

    def total(self) -> int:
        """All operations until now."""
        return sum(packed + scalar for _, packed, scalar in self.totals())

    def totals(self) -> tuple[tuple[str, int, int], ...]:
        """(name, elements done several at a time, elements done one by one) of each operation, by name."""
        packed, scalar = Counter[str](), Counter[str]()
        for name, at_a_time, often in self.widths():
            (packed if at_a_time > 1 else scalar)[name] += at_a_time * often
        return tuple((name, packed[name], scalar[name]) for name in sorted(packed | scalar))

    def widths(self) -> tuple[tuple[str, int, int], ...]:
        """(name, elements at a time, how often) of each operation, by name, the most elements first."""
        often = Counter[tuple[str, int]]()
        for operations, entered in self._blocks:
            for name, elements, is_packed in operations:
                often[name, elements if is_packed else 1] += entered.value * (1 if is_packed else elements)
        return tuple(
            (name, at_a_time, often[name, at_a_time]) for name, at_a_time in sorted(+often, key=_widest_first)
        )


def _widest_first(operation):
    """The place of (name, elements at a time) in a table."""
    name, at_a_time = operation
    return name, -at_a_time


def _places(function):
    """(index of its first row that computes with floats, all that it computes) of each block that does."""
    first, done = None, []
    for index, row in enumerate([*function, "end:"]):
        if LABEL.match(row):
            if done:
                yield first, done
            first, done = None, []
        elif operations := list(_operations(row)):
            first = index if first is None else first
            done += operations


def _operations(row):
    """(name, elements, whether they are done at once) of what a row of LLVM IR computes with floats."""
    if found := OPERATION.search(row):
        is_done_at_once = (
            found["elements"] and found["name"] != "rem"
        )  # of a remainder, C's fmod is called for each
        yield f"f{found['name']}", int(found["elements"] or 1), bool(is_done_at_once)
    elif found := FUSED.search(row):
        for name in ("fadd", "fmul"):
            yield name, int(found["elements"] or 1), bool(found["elements"])
    elif found := INTRINSIC.search(row):
        yield found["name"], int(found["elements"] or 1), bool(found["elements"])
    elif found := FUNCTION.search(row):
        yield found["name"], int(found["elements"] or 1), False
    elif found := SUM.search(row):  # of a vector; one after the other, unless any order will do
        yield "fadd", int(found["elements"]), bool(re.search("reassoc|fast", found["flags"]))
