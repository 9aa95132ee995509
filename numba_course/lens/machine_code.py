"""What the machine code of a compiled function does: vectors, allocations, calls, checks, the GIL.

To report another fact, read it in `native.read`, name it in `MachineCode` and give it a row in `_facts`.
"""

import re
import textwrap
from dataclasses import dataclass

from numba_course.lens import html, native
from numba_course.lens.compilation import compiled_apart
from numba_course.lens.recording import own_line

PYTHON = re.compile(r"_?Py[A-Z]\w+|numba_(unpickle|recreate_record|set_\w+_private_data)")
SILENT = ("explicitly disabled", "interleaving is not beneficial")  # remarks that tell nothing
UNREACHED = "packed only for elements one byte apart, which these are not: index a contiguous array by range"
TONES = {"packed": "good", "scalar": "warn", "gone": "warn"}


@dataclass(frozen=True)
class Loop:
    """What became of a loop.

    Attributes
    ----------
    line : int
        Where it begins in the source; for a loop inside a NumPy function, the line of the call.
    state : str
        ``packed``: computes or moves several elements at once. ``scalar``: one by one. ``outer``: only holds
        other loops. ``gone``: no loop is left. ``not known``: its instructions carry no line.
    reason : str
        Why, in LLVM's words, if it said so.
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
        Elements in the widest packed arithmetic of the body; 1 if there is none.
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
    calls : tuple of (int or None, str)
        Line and name of each function that is called and was not inlined, but for reference counting.
    python_calls : int
        How many of them belong to Python's C API.
    releases_gil : bool
        Whether the GIL is released during the whole call.
    raises : tuple of (int or None, str)
        Line and exception of each early exit.
    bounds_checks, wraparounds : tuple of int
        Lines where an index is compared with the length, and with zero in order to count from the end.
    notes : tuple of str
        What is not known, and why.
    """

    name: str
    signature: str
    vector_width: int
    element_type: str | None
    packed: int
    scalar: int
    fused: bool
    loops: tuple
    remarks: tuple
    allocations: int | None
    calls: tuple
    python_calls: int
    releases_gil: bool
    raises: tuple
    bounds_checks: tuple
    wraparounds: tuple
    notes: tuple

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
        held = "held, but released while a parallel loop runs" if launches else "held"
        yield "plain", "GIL", "released" if self.releases_gil else held
        exits = dict.fromkeys((text.partition(":")[0], line) for line, text in self.raises)
        yield "plain", "may raise", _listed(exits) or ("nothing itself" if self.calls else "nothing")
        yield "plain", "bounds checks", _tested(self.bounds_checks)
        yield "plain", "negative indices", _tested(self.wraparounds)
        yield "plain", "fused multiply-add", "yes" if self.fused else "no"
        yield from (("info", "note", note) for note in self.notes)

    def __repr__(self):
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
    return "tested in line " + ", ".join(map(str, lines)) if lines else "not tested"


def machine_code(fn, *args):
    """Say what the machine code does that ``fn(*args)`` runs.

    A copy is compiled, and called once, in a child process; `fn` is not touched.

    Parameters
    ----------
    fn : Dispatcher
        A function decorated with ``@njit``.
    *args
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
    return report(compiled_apart(fn, args, "lens.machine_code", call=True))


def report(compilation):
    """What the machine code of a `Compilation` does, as `MachineCode`."""
    seen = native.read(compilation)
    found = [seen.pop(fact) for fact in ("machine_loops", "unreached", "grows", "scalable")]
    machine_loops, unreached, grows, scalable = found
    notes = list(compilation.notes)
    if compilation.allocations is None:
        notes.append(f"allocations are not known: {compilation.uncounted}")
    elif grows:
        notes.append("memory that lists, dicts and sets take to grow is not counted")
    if scalable:
        notes.append("scalable vectors: the width is a multiple of the one given, not known which")
    return MachineCode(
        name=compilation.name,
        signature=compilation.signature,
        loops=loops(compilation, machine_loops, unreached),
        remarks=tuple(remarks(compilation)),
        allocations=compilation.allocations,
        python_calls=sum(bool(PYTHON.fullmatch(name)) for _, name in seen["calls"]),
        notes=tuple(notes),
        **seen,
    )


def remarks(compilation):
    """LLVM's remarks about the function's own loops, each once, without those that tell nothing."""
    found = []
    for file, line, text in compilation.remarks:
        own = own_line(int(line))
        if (own or (file == "<own>" and int(line) == 0)) and not any(phrase in text for phrase in SILENT):
            found.append(Remark(own, re.sub(r" in _Z\S+ function| intrinsic$|\. Use #pragma.*", "", text)))
    return list(dict.fromkeys(found))


def loops(compilation, machine_loops, unreached):
    """What became of each loop: those of the assembly, gathered under the loop of the source they were."""
    lines = dict(compilation.loops)
    home = {
        line: first for first in sorted(lines, key=lambda first: -len(lines[first])) for line in lines[first]
    }
    found, unknown = {first: [] for first in lines}, compilation.is_generator
    for loop in machine_loops:
        homes = {home.get(line, line) for line in loop.lines}
        if homes:
            outermost = max(homes, key=lambda first: len(lines.get(first, ())))
            found.setdefault(outermost, []).append(loop)
        else:
            unknown = True
    said = remarks(compilation)
    return tuple(
        _loop(first, lines.get(first, (first,)), found[first], said, lines.keys(), unknown, unreached)
        for first in sorted(found)
    )


def _loop(first, lines, found, said, firsts, unknown, unreached):
    """One loop of the source, from the loops of the assembly that it became and all remarks."""
    holds = any(line in firsts for line in lines if line != first)
    about = [remark.text for remark in said if remark.line in lines]
    innermost = [loop for loop in found if loop.innermost]
    causes = _causes(about)
    if not found:
        fate = [text for text in about if re.match("Transformed|Loop deleted|completely unrolled", text)]
        return Loop(first, "not known") if unknown else Loop(first, "gone", "; ".join(fate))
    if not innermost or (holds and len(innermost) < len(found)):  # LLVM may split off a copy without those
        return Loop(first, "outer")
    if any(loop.packed for loop in innermost):
        mixed = lines == (first,) and causes
        return Loop(first, "packed", f"but another loop of this line is not: {causes[-1]}" if mixed else "")
    if any(line in unreached for line in lines):
        return Loop(first, "scalar", UNREACHED)
    if any(text.startswith("vectorized loop") for text in about):
        does = "calls functions" if any(loop.calls for loop in innermost) else "packs nothing"
        return Loop(first, "scalar", f"LLVM remarks that it is vectorized, but the machine code {does}")
    causes = causes or _causes(remark.text for remark in said if remark.line is None)
    return Loop(first, "scalar", causes[-1] if causes else "")


def _causes(texts):
    """Why LLVM left a loop scalar, from remarks; the last word is the most telling."""
    texts = list(texts)
    causes = [text.partition(": ")[2] for text in texts if text.startswith("loop not vectorized: ")]
    return causes + [text for text in texts if text.startswith("the cost-model")]
