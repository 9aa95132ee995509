"""One function in every stage of its compilation, from bytecode to assembly, side by side by source line."""

from dataclasses import dataclass
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
SHOWN = 40  # rows of one stage shown for one line


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

    def __repr__(self) -> str:
        rows = [f"stages of {self.name}{self.signature}"]
        rows += [f"  {TITLES[stage]:<18} ⟨{len(self.rows[stage])}⟩ rows" for stage in TITLES]
        return "\n".join(rows + [f"  {text}" for _, text in self._fates()])

    def _repr_html_(self):
        sizes = html.table(TITLES.values(), [[f"⟨{len(self.rows[stage])}⟩ rows" for stage in TITLES]])
        fates = "".join(f"<div>{html.mark(tone, text)}</div>" for tone, text in self._fates())
        lines = sorted({line for rows in self.rows.values() for line, _ in rows}, key=lambda line: line or 0)
        known = dict(self.source)
        body = [
            (
                str(line or "none"),
                html.code(known.get(line, "")),
                *(html.code(self._cell(stage, line)) for stage in TITLES),
            )
            for line in lines
        ]
        wide = html.table(("line", "source", *TITLES.values()), body)
        scrolled = f'<div style="overflow-x:auto">{wide}</div>'
        return html.card(f"stages of {self.name}{self.signature}", "info", sizes + fates + scrolled)

    def _cell(self, stage, line):
        """What a stage has for one line of the source."""
        texts = [text for own, text in self.rows[stage] if own == line]
        more = [f"… {len(texts) - SHOWN} more in .{stage}"] if len(texts) > SHOWN else []
        return "\n".join(texts[:SHOWN] + more)


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
    stages = (compilation.bytecode, compilation.numba_ir, compilation.typed_ir, llvm, optimised, assembly)
    rows = dict(zip(TITLES, stages, strict=True))
    seen = _native.facts(compilation)
    return Stages(
        name=compilation.name,
        signature=compilation.signature,
        rows=rows,
        loops=loops(compilation, seen["machine_loops"], seen["packed_lines"]),
        source=compilation.source,
        notes=compilation.notes,
        **{stage: _text(found) for stage, found in rows.items()},
    )


def _text(rows):
    return "\n".join(f"{line or '':>5}  {text}".rstrip() for line, text in rows)
