"""One function in every stage of its compilation, from bytecode to assembly, and one line of it through them all."""

from dataclasses import dataclass, replace
from typing import Any

from numba_course.lens import html
from numba_course.lens.compiled import _native
from numba_course.lens.compiled.compilation import compiled_apart
from numba_course.lens.compiled.machine_code import Loop, loops

TITLES = {
    "bytecode": "Bytecode",
    "numba_ir": "Numba IR",
    "typed_ir": "Typed IR",
    "llvm": "LLVM IR",
    "optimised_llvm": "Optimised LLVM IR",
    "assembly": "Assembly",
}
OPTIMISED = ("optimised_llvm", "assembly")
OPENED = "typed_ir"
SHOWN = 400  # rows of a stage that a card shows


@dataclass(frozen=True)
class Stages:
    """The stages of one call's compilation.

    Attributes
    ----------
    name, signature : str
    bytecode, numba_ir, typed_ir, llvm, optimised_llvm, assembly : str
        Each stage as text, the line of the source in front.
    rows : dict
        The same as (line of the source or None, text) of each row, by stage.
    loops : tuple of Loop
        What became of each loop; see `lens.machine_code`.
    source : tuple
        (line, text) of the source, if known.
    line : int or None
        The line of the source that is shown through all stages: at first, the last one in the last loop.
    opened : str
        The stage that is shown open; the others are summed up.
    """

    name: str
    signature: str
    bytecode: str
    numba_ir: str
    typed_ir: str
    llvm: str
    optimised_llvm: str
    assembly: str
    rows: dict[str, list[tuple[int | None, str]]]
    loops: tuple[Loop, ...]
    source: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]
    line: int | None = None
    opened: str = OPENED

    def at(self, stage: str, line: int | None = None) -> "Stages":
        """The same with another stage open, and another line shown through all of them if one is given.

        Raises
        ------
        ValueError
            If there is no such stage, or nothing in any stage comes from that line.
        """
        if stage not in TITLES:
            raise ValueError(f"stage must be one of {', '.join(TITLES)}, not {stage!r}")
        known = {own for rows in self.rows.values() for own, _ in rows}
        if line is not None and line not in known:
            raise ValueError(f"line must be one from which some stage has code, not {line!r}")
        return replace(self, opened=stage, line=line or self.line)

    def _fates(self):
        """(tone, text) about each loop and each note."""
        for loop in self.loops:
            reason = f": {loop.reason}" if loop.reason else ""
            if loop.state == "gone":
                yield "warn", f"the loop in line {loop.line} has vanished{reason}"
            elif loop.state == "not known":
                yield "plain", f"what became of the loop in line {loop.line} is not known"
            else:
                yield "plain", f"the loop in line {loop.line} is still a loop"
        yield from (("info", note) for note in self.notes)

    def _summary(self, stage):
        """In words, how much a stage is, how much of that comes from the line, and what it left of each loop."""
        rows = self.rows[stage]
        of_line = sum(own == self.line for own, _ in rows) if self.line else 0
        text = f"⟨{len(rows)}⟩ rows"
        text += f", ⟨{of_line}⟩ of them from line {self.line}" if self.line else ""
        if stage in OPTIMISED:
            text += "".join(f"; loop in line {loop.line}: {loop.state}" for loop in self.loops)
        return text

    def _shown(self, stage):
        """(text, whether it comes from the line) of the rows that are shown of a stage."""
        rows = self.rows[stage]
        shown = [(_row(own, text), own is not None and own == self.line) for own, text in rows[:SHOWN]]
        more = [(f"… {len(rows) - SHOWN} more in .{stage}", False)] if len(rows) > SHOWN else []
        return shown + more

    def _followed(self):
        """The line of the source that is followed, in words, if it is known."""
        text = dict(self.source).get(self.line, "").strip()
        return f"line {self.line}: {text}" if text else ""

    def __repr__(self) -> str:
        rows = [
            f"stages of {self.name}{self.signature}",
            *([f"  {self._followed()}"] if self._followed() else []),
        ]
        for stage, title in TITLES.items():
            rows.append(f"  {title:<18} {self._summary(stage)}")
            if stage == self.opened:
                rows += [f"  {'>' if marked else ' '} {text}".rstrip() for text, marked in self._shown(stage)]
        return "\n".join(rows + [f"  {text}" for _, text in self._fates()])

    def _repr_html_(self):
        followed = f"<div>{html.code(self._followed())}</div>" if self._followed() else ""
        fates = "".join(f"<div>{html.mark(tone, text)}</div>" for tone, text in self._fates())
        parts = "".join(
            html.folded(
                f"{title}: {self._summary(stage)}", html.listing(self._shown(stage)), stage == self.opened
            )
            for stage, title in TITLES.items()
        )
        return html.card(f"stages of {self.name}{self.signature}", "info", followed + fates + parts)


def stages(fn: Any, *args: Any, wrapper: bool = False, **named: Any) -> Stages:
    """Show what each stage of the compiler makes of ``fn(*args)``.

    A copy is compiled in a child process; nothing is called, and `fn` is not touched.

    Parameters
    ----------
    fn : object
        A function decorated with ``@njit``; or a ufunc, of which it is the kernel that is looked at, for the first
        element, a C callback, a method of an object of a jitclass, a bound method, a `functools.partial`.
    *args, **named
        Arguments of the call; only their types matter.
    wrapper : bool
        Whether to show the wrapper, too, that converts Python objects, in optimised LLVM IR and assembly.

    Returns
    -------
    Stages

    Raises
    ------
    TypeError
        If `fn` is no such function, or does not compile for `args`.
    ValueError
        If the processor is neither x86-64 nor ARM, so that its machine code cannot be read.
    RuntimeError
        If the compiler itself fails.
    """
    compilation = compiled_apart(fn, args, "lens.stages", named=named)
    llvm, optimised, assembly = _native.listings(compilation, wrapper)
    found = _native.facts(compilation)
    fates = loops(compilation, found["machine_loops"], found["packed_lines"])
    stages = (compilation.bytecode, compilation.numba_ir, compilation.typed_ir, llvm, optimised, assembly)
    rows = dict(zip(TITLES, stages, strict=True))
    return Stages(
        name=compilation.name,
        signature=compilation.signature,
        rows=rows,
        loops=fates,
        source=compilation.source,
        notes=compilation.notes,
        line=_innermost(compilation.loops),
        **{stage: _text(found) for stage, found in rows.items()},
    )


def _innermost(loops):
    """The last line of the last loop that holds no other, if there is a loop."""
    inner = [lines for _, lines in loops if not any(set(other) < set(lines) for _, other in loops)]
    return max(inner[-1]) if inner else None


def _text(rows):
    return "\n".join(_row(line, text) for line, text in rows)


def _row(line, text):
    return f"{line or '':>5}  {text}".rstrip()
