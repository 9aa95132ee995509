"""What the machine code of a compiled function does: vectors, allocations, calls, checks, the GIL.

To report another fact, read it in `_native.facts`, name it in `MachineCode` and give it a row in `_facts`.
"""

import re
import textwrap
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from numba_course.lens import html
from numba_course.lens.compiled import _dataflow, _native
from numba_course.lens.compiled._assembly import MachineLoop
from numba_course.lens.compiled._recording import own_line
from numba_course.lens.compiled.compilation import Compilation, compiled_apart

PYTHON = re.compile(r"_?Py[A-Z]\w+|numba_(unpickle|recreate_record|set_\w+_private_data)")
SILENT = ("explicitly disabled", "interleaving is not beneficial")  # remarks that tell nothing
UNREACHED = _dataflow.NEVER
GROWS = "memory that lists, dicts and sets take to grow is not counted"
CONVERTED = "around the call a Python list or set is converted item by item, which holds the GIL"
CALLS_SINGLY = "it also calls functions, for one element at a time"
TONES = {"packed": "good", "partly packed": "warn", "scalar": "warn", "gone": "warn"}


@dataclass(frozen=True)
class Loop:
    """What became of a loop.

    Attributes
    ----------
    line : int
        Where it begins in the source; for a loop inside a NumPy function, the line of the call.
    state : str
        ``packed``: computes or moves several elements at once, if need be unrolled whole, in the loop around it or
        in none. ``partly packed``: that, and it also calls functions, for one element at a time. ``scalar``: one by
        one. ``outer``: only holds other loops. ``gone``: no loop is left. ``not known``: its instructions, or all
        that is packed, carry no line.
    reason : str
        Why: in LLVM's words, if it said so. What begins with "packed only for", "LLVM remarks", "but another loop"
        or "it also calls" is what the lens reads in the machine code.
    """

    line: int
    state: str
    reason: str = ""


@dataclass(frozen=True)
class Remark:
    """A remark of LLVM's loop passes; `line` is None where LLVM gave none."""

    line: int | None
    text: str


@dataclass(frozen=True)
class MachineCode:
    """Facts about the machine code that one call runs.

    Attributes
    ----------
    name, signature : str
    vector_width : int
        Elements that packed arithmetic computes at a time; 1 if none was found. Arithmetic that only leads to
        addresses does not count, and neither do versions of a loop that never run, whatever the call, or only for a
        step of one element, as down a matrix of one column. Of several widths and types that at which the bodies of
        the loops compute the most elements, each vector operation of LLVM counting once with all its elements, so
        that the body of a loop stands above what LLVM adds for the elements that are left over; of equally many, the
        one of the wider type. Without packed loops it is the rest of the code that counts. It is about the code: what
        this call did is in `executed`.
    element_type : str or None
        Of those elements, such as ``float64``; machine code does not tell unsigned integers from signed.
    packed, scalar : int
        Number of packed arithmetic instructions, and of scalar floating-point ones.
    fused : bool
        Whether products and sums are fused into one rounding.
    loops : tuple of Loop
    remarks : tuple of Remark
        What LLVM said. It can mislead: `loops` is read from the machine code.
    allocations : int or None
        Blocks of memory that one call takes from Numba's runtime, beyond the arguments' own bookkeeping; in a
        parallel loop it may depend on the number of threads. None if it is not known, see `notes`.
    executed : tuple of (str, int, int), or None
        Floating-point operations that the call did, by LLVM's names such as ``fadd`` and those of C's mathematical
        functions such as ``sqrt`` and ``pow``: of how many elements by packed instructions, of how many one by one; in
        the functions that it calls, too. Not counted are what is computed on bits or whole numbers, or what libraries
        such as BLAS do inside. None like `allocations`.
    widths : tuple of (str, int, int), or None
        The same operations by how many elements LLVM has them do at a time: name, elements, how often; the most
        elements first. A vector operation of LLVM wider than a register becomes several instructions. None like
        `allocations`.
    calls : tuple of (int or None, str)
        Line and name of each function that is called and was not inlined, but for reference counting; those that
        take memory from Numba's runtime begin with ``NRT_``.
    python_calls : int
        How many of them belong to Python's C API.
    gil : str
        ``released`` during the whole call, but for the moment in which a parallel loop is started; ``taken back``
        meanwhile to call Python, by the function itself or by what it calls and Numba compiled; ``held``; or ``up to
        NumPy``, of the kernel in a ufunc, and ``up to C``, of a callback.
    raises : tuple of (int or None, str)
        Line and exception of each early exit.
    bounds_checks, wraparounds : tuple of int
        Lines where an index, or an end of a slice, is compared with the length in order to raise an exception, and
        with zero in order to count from the end. What typed lists, strings and the functions that are called do with
        a negative index is not looked at.
    notes : tuple of str
        What is not known, and why.
    parallel : bool
        Whether a parallel loop is started, by the function itself or by what it calls and Numba compiled.
    """

    name: str
    signature: str
    vector_width: int
    element_type: str | None
    packed: int
    scalar: int
    fused: bool
    loops: tuple[Loop, ...]
    remarks: tuple[Remark, ...]
    allocations: int | None
    executed: tuple[tuple[str, int, int], ...] | None
    widths: tuple[tuple[str, int, int], ...] | None
    calls: tuple[tuple[int | None, str], ...]
    python_calls: int
    gil: str
    raises: tuple[tuple[int | None, str], ...]
    bounds_checks: tuple[int, ...]
    wraparounds: tuple[int, ...]
    notes: tuple[str, ...]
    parallel: bool = False

    @property
    def releases_gil(self) -> bool:
        """Whether the GIL is released during the whole call; see `gil`."""
        return self.gil == "released"

    def _facts(self):
        """(tone, label, text) of each row of the report."""
        if self.packed:
            rest = ", scalar for what is left over" if self.scalar else ""
            yield "good", "arithmetic", f"packed, ⟨{self.vector_width}⟩ × {self.element_type} at a time{rest}"
        else:
            yield "plain", "arithmetic", "scalar" if self.scalar else "no packed, no floating-point"
        for loop in self.loops:
            state = loop.state + (f": {loop.reason}" if loop.reason else "")
            yield TONES.get(loop.state, "plain"), f"loop, line {loop.line}", state
        count = "not known" if self.allocations is None else f"{self.allocations or 'none'} per call"
        yield ("warn" if self.allocations else "plain"), "allocations", count
        yield "plain", "calls", _listed((name, line) for line, name in self.calls) or "none"
        yield ("warn" if self.python_calls else "plain"), "Python API", f"{self.python_calls or 'no'} calls"
        launches = any(name == "numba_parallel_for" for _, name in self.calls)
        but = {
            "taken back": "released, but taken back inside, to call Python",
            "held": "held, but released while a parallel loop runs" if launches else "held",
        }
        yield "plain", "GIL", but.get(self.gil, self.gil)
        exits = dict.fromkeys((text.partition(":")[0], line) for line, text in self.raises)
        yield "plain", "may raise", _listed(exits) or ("nothing itself" if self.calls else "nothing")
        yield "plain", "bounds checks", _tested(self.bounds_checks)
        yield "plain", "negative indices", _tested(self.wraparounds)
        yield "plain", "fused multiply-add", "yes" if self.fused else "no"
        yield from (("info", "note", note) for note in self.notes)

    def __repr__(self) -> str:
        rows = [f"machine code of {self.name}{self.signature}"]
        for _, label, text in self._facts():
            rows += textwrap.wrap(text, 78, initial_indent=f"  {label:<18}  ", subsequent_indent=" " * 22)
        return "\n".join(rows)

    def _repr_html_(self):
        rows = [
            (html.mark(tone, label.replace(" ", "\u00a0")), html.escape(text))
            for tone, label, text in self._facts()
        ]
        return html.card(f"machine code of {self.name}{self.signature}", "info", html.table((), rows))


def _listed(pairs):
    return ", ".join(f"{name} (line {line})" if line else name for name, line in pairs)


def _tested(lines):
    return "tested in line " + ", ".join(map(str, lines)) if lines else "tested in no line of its own"


def machine_code(fn: Any, *args: Any, **named: Any) -> MachineCode:
    """Say what the machine code does that ``fn(*args)`` runs.

    A copy is compiled, and called once, in a child process; `fn` is not touched.

    Parameters
    ----------
    fn : object
        A function decorated with ``@njit``; or a ufunc, of which it is the kernel that is looked at, for the first
        element, a C callback, a method of an object of a jitclass, a bound method, a `functools.partial`.
    *args, **named
        Arguments of the call. They are copied; one that cannot be sent to another process gives its type.

    Returns
    -------
    MachineCode

    Raises
    ------
    TypeError
        If `fn` is no such function, or does not compile for `args`.
    ValueError
        If the processor is neither x86-64 nor ARM, so that its machine code cannot be read.
    RuntimeError
        If the compiler itself fails.

    Notes
    -----
    The machine code is the body of the function: all that was inlined into it and its parallel loops, but not
    the wrapper that converts Python objects and not the functions that it calls.
    """
    return report(compiled_apart(fn, args, "lens.machine_code", call=True, named=named))


def report(compilation: Compilation) -> MachineCode:
    """What the machine code of a `Compilation` does, as `MachineCode`."""
    seen = _native.facts(compilation)
    if compilation.caller:
        seen["gil"] = f"up to {compilation.caller}"
    found = [seen.pop(fact) for fact in ("machine_loops", "packed_lines", "grows", "scalable")]
    machine_loops, packed_lines, grows, scalable = found
    notes = list(compilation.notes)
    if compilation.allocations is None:
        notes.append(f"allocations are not known: {compilation.uncounted}")
    elif grows:
        notes.append(GROWS)
    if seen["gil"] == "released" and "reflected " in compilation.signature.partition("->")[0]:
        notes.append(CONVERTED)
    if scalable:
        notes.append("scalable vectors: the width is a multiple of the one given, not known which")
    return MachineCode(
        name=compilation.name,
        signature=compilation.signature,
        loops=loops(compilation, machine_loops, packed_lines),
        remarks=tuple(remarks(compilation)),
        allocations=compilation.allocations,
        executed=compilation.executed,
        widths=compilation.widths,
        python_calls=sum(bool(PYTHON.fullmatch(name)) for _, name in seen["calls"]),
        notes=tuple(notes),
        **seen,
    )


def remarks(compilation: Compilation) -> list[Remark]:
    """LLVM's remarks about the function's own loops, each once, without those that tell nothing."""
    found = []
    for file, line, text in compilation.remarks:
        own = own_line(int(line))
        if (own or (file == "<own>" and int(line) == 0)) and not any(phrase in text for phrase in SILENT):
            found.append(Remark(own, re.sub(r" in _Z\S+ function| intrinsic$|\. Use #pragma.*", "", text)))
    return list(dict.fromkeys(found))


def loops(
    compilation: Compilation, machine_loops: Iterable[MachineLoop], packed_lines: Collection[int | None]
) -> tuple[Loop, ...]:
    """What became of each loop: those of the assembly, gathered under the loop of the source they were.

    A loop that the source does not have, as inside a NumPy function, goes by the line of the call.
    """
    lines = dict(compilation.loops)
    home = {
        line: first for first in sorted(lines, key=lambda first: -len(lines[first])) for line in lines[first]
    }
    found, unknown = {first: [] for first in lines}, compilation.is_generator
    parallel = set(
        compilation.parallel
    )  # these run, on threads, whatever remarks say of other loops in their lines
    for loop in machine_loops:
        homes = {home.get(line, line) for line in loop.lines}
        if homes:
            outermost = max(homes, key=lambda first: len(lines.get(first, ())))
            found.setdefault(outermost, []).append(loop)
        else:
            unknown = True
    said = remarks(compilation)
    elsewhere = {home.get(line, line) for line in packed_lines if line}
    unplaced = None in packed_lines
    return tuple(
        _loop(first, lines, found[first], said, unknown or first in parallel, first in elsewhere, unplaced)
        for first in sorted(found)
    )


def _loop(first, loops, found, said, unknown, packs_somewhere, unplaced):
    """One loop of the source, from all of them, those of the assembly that it became, and all remarks.

    `unknown` says that it may be one of the assembly that has no line, `unplaced` that packed arithmetic has none.
    """
    lines = loops.get(first, (first,))
    inside = {line for other in lines if other != first for line in loops.get(other, ())}
    about = [remark.text for remark in said if remark.line in lines]
    vectorised = {remark.line for remark in said if remark.text.startswith("vectorized loop")} & set(lines)
    unrolled = any(text.startswith("completely unrolled") for text in about)
    moved_out = packs_somewhere and (vectorised or unrolled)  # into the loop around it, or none is left
    running = [loop for loop in found if not loop.unreached]
    innermost = [loop for loop in running if loop.innermost]
    packed = set().union(*(loop.packed for loop in innermost))
    causes = _causes(about)
    if not running and not moved_out:
        fate = [text for text in about if re.match("Transformed|Loop deleted|completely unrolled", text)]
        return Loop(first, "not known") if unknown else Loop(first, "gone", "; ".join(fate))
    if running and (not innermost or (inside and len(innermost) < len(running))):  # LLVM may split off a copy
        return Loop(first, "outer")
    if packed and packed <= inside and vectorised and vectorised <= inside:
        return Loop(first, "outer")  # an inner loop was packed first, and then unrolled whole
    if any(loop.packed and loop.calls for loop in innermost):
        return Loop(first, "partly packed", CALLS_SINGLY)
    if packed or moved_out:
        mixed = lines == (first,) and causes
        return Loop(first, "packed", f"but another loop of this line is not: {causes[-1]}" if mixed else "")
    if len(running) < len(found):
        return Loop(first, "scalar", next(loop.unreached for loop in found if loop.unreached))
    if vectorised and unplaced:
        return Loop(first, "not known", "LLVM remarks that it is vectorized; what is packed carries no line")
    if vectorised:
        does = "calls functions" if any(loop.calls for loop in innermost) else "packs nothing"
        return Loop(first, "scalar", f"LLVM remarks that it is vectorized, but the machine code {does}")
    causes = causes or _causes(remark.text for remark in said if remark.line is None)
    return Loop(first, "scalar", causes[-1] if causes else "")


def _causes(texts):
    """Why LLVM left a loop scalar, from remarks; the last word is the most telling."""
    texts = list(texts)
    causes = [text.partition(": ")[2] for text in texts if text.startswith("loop not vectorized: ")]
    return causes + [text for text in texts if text.startswith("the cost-model")]
