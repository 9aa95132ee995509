"""From operations to the text of one module: declare, group by memory, write a loop for each group."""

from __future__ import annotations

import hashlib
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numba
import numpy as np

from numba_course.kernels import vectors
from numba_course.pipeline import runtime
from numba_course.pipeline.lifting import is_straight, lift
from numba_course.pipeline.protocol import KINDS, AllocationQuery, Operation, PipelineError, State
from numba_course.pipeline.runtime import LANES

COLOURS = "red", "green", "blue"
PIXEL = "pixels[3 * x], pixels[3 * x + 1], pixels[3 * x + 2] = red, green, blue"
FLOAT32, UINT8 = np.dtype(np.float32), np.dtype(np.uint8)


@dataclass(frozen=True)
class Step:
    """An operation at its place: what goes in, what comes out, its function and its memory."""

    index: int
    operation: str
    kind: str
    before: State
    after: State
    memory: tuple[AllocationQuery, ...]
    stream: int
    function: object = field(compare=False, repr=False)


@dataclass(frozen=True)
class Group:
    """Steps that share a loop, or one step that fills memory from a whole image; where its result is stored."""

    steps: tuple[Step, ...]
    before: State
    after: State
    memory: AllocationQuery | None

    @property
    def is_image(self) -> bool:
        return bool(self.steps) and self.steps[0].kind == "image"


@dataclass(frozen=True)
class Program:
    """A generated module and what must be known to run it; it holds no function and can be pickled.

    Attributes
    ----------
    source : str
    key : str
        Hash of the source.
    input, output : State
    memory : tuple of AllocationQuery
        For each worker.
    schedule : tuple of tuple of str
        Rows of `Pipeline.explain`: step, operation, kind, what goes in, what comes out, memory.
    places : dict of str to (str, dict of int to int)
        From the name of a generated function to its step and file, and from its own lines to those of the file.
    """

    source: str
    input: State
    output: State
    memory: tuple[AllocationQuery, ...]
    schedule: tuple[tuple[str, ...], ...]
    places: dict[str, tuple[str, dict[int, int]]]

    @property
    def key(self) -> str:
        return hashlib.sha256(self.source.encode()).hexdigest()[:16]


def generate(
    operations: Sequence[Operation],
    shape: tuple[int, int, int],
    *,
    fastmath: bool = False,
    boundscheck: bool = False,
) -> Program:
    """Write the module of a pipeline.

    Parameters
    ----------
    operations : sequence of Operation
    shape : tuple of int
        Height, width and 3 channels of the uint8 images that go in.
    fastmath, boundscheck : bool
        As for `numba.njit`.

    Returns
    -------
    Program

    Raises
    ------
    PipelineError
        If an operation cannot take what the one before it gives; names the step and the operation.
    """
    first = State(_shape(shape), UINT8)
    steps = declare(operations, first)
    groups = grouped(steps, first)
    writer = _Writer(groups, fastmath, boundscheck)
    output = steps[-1].after if steps else first
    return Program(
        source=writer.module(first, output),
        input=first,
        output=State(output.shape, FLOAT32, output.layout),
        memory=tuple(writer.memory),
        schedule=tuple(_schedule(groups)),
        places=writer.places,
    )


def _shape(shape):
    sizes = tuple(shape)
    if len(sizes) != 3 or sizes[2] != 3 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in sizes):
        raise PipelineError(f"shape must be (height, width, 3), not {shape!r}")
    return tuple(map(int, sizes))


def declare(operations: Sequence[Operation], state: State) -> list[Step]:
    """Ask each operation, in order, what it makes of the state and whether it needs memory."""
    steps = []
    for index, operation in enumerate(operations):
        if not isinstance(operation, Operation):
            raise PipelineError(f"step {index}, {operation!r}: it must be an Operation")
        try:
            after, queries = operation.declare_state_and_memory(state)
            memory = (queries,) if isinstance(queries, AllocationQuery) else tuple(queries or ())
            function = operation.generate_code()
            kind = _kind(function, memory, state)
        except Exception as error:  # a learner's code may raise anything
            what = error if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"
            raise PipelineError(f"step {index}, {operation!r}: {what}") from error
        if kind in ("point", "gather"):
            after = replace(after, dtype=FLOAT32)
        stream = index if operation.stream is None else operation.stream
        steps.append(Step(index, repr(operation), kind, state, after, memory, stream, function))
        state = after
    return steps


def _kind(function, memory, before):
    """The kind of a step, if its function, memory and place fit together."""
    if before.layout != "HWC":
        raise PipelineError(f"nothing can come after the layout {before.layout}")
    if function is None:
        return "none"
    kind = getattr(function, "kind", None)
    if kind not in KINDS:
        raise PipelineError(f"generate_code must return a function marked by @{', @'.join(KINDS)}, or None")
    if (kind == "image") != bool(memory):
        raise PipelineError("an @image operation must declare memory, and no other one may")
    return kind


def grouped(steps: Sequence[Step], state: State) -> list[Group]:
    """Put steps into groups: memory ends a group, and in a group moves go before arithmetic.

    A move commutes with arithmetic on single pixels; done first, it spares arithmetic on pixels that are thrown
    away. A gather pulls pixels several times, so arithmetic before it is stored instead of being repeated.
    """
    groups, current, before = [], [], state

    def close(memory):
        nonlocal current, before
        after = max(current, key=lambda step: step.index).after if current else before
        groups.append(Group(tuple(current), before, after, memory))
        current, before = [], after

    for step in steps:
        if step.kind == "image":
            if current:
                close(_stored(step.before))
            current = [step]
            close(step.memory[0])
        elif step.kind == "gather" and any(earlier.kind == "point" for earlier in current):
            close(_stored(step.before))
            current = [step]
        elif step.kind == "move" and not any(earlier.kind == "gather" for earlier in current):
            moves = [earlier for earlier in current if earlier.kind == "move"]
            current = [*moves, step, *(earlier for earlier in current if earlier.kind != "move")]
        else:
            current.append(step)
    close(None)
    return groups


def _stored(state):
    return AllocationQuery(state.shape, state.dtype)


def _schedule(groups):
    for group in groups:
        for step in group.steps:
            memory = kilobytes(step.memory) if step.memory else "fused"
            yield str(step.index), step.operation, step.kind, str(step.before), str(step.after), memory
        if group.memory and not group.is_image:
            yield "", "the result is stored", "", "", "", kilobytes([group.memory])


def kilobytes(queries: Sequence[AllocationQuery]) -> str:
    """How much memory that is, in brackets: what it takes to resize depends on the processor."""
    return f"⟨{sum(query.nbytes for query in queries) / 1e3:.0f} kB⟩"


def _fingerprint(names):
    """Hash of the source files of all packages in which these modules are."""
    folders = {Path(sys.modules[name].__file__).parent for name in names}
    digest = hashlib.sha256()
    for path in sorted(path for folder in folders for path in folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class _Writer:
    """Writes the module: a function for each step, and `run` with a loop for each group."""

    def __init__(self, groups, fastmath, boundscheck):
        self.groups = groups
        self.options = f"error_model='numpy', fastmath={fastmath!r}, boundscheck={boundscheck!r}"
        self.memory, self.functions, self.places = [], [], {}
        self.imports = {
            runtime.__name__: {
                "interleave",
                "op_key",
                "pixel",
                "sample_key",
                "spread",
                "spread_mirrored",
                "uniform",
            },
            vectors.__name__: {"store"},
        }

    def module(self, first, output):
        """The whole text."""
        body, source, dtype = [], "images[rows[i]]", UINT8
        for number, group in enumerate(self.groups):
            target = self._allocate(group.memory) if group.memory else "out[i]"
            write = self._image if group.is_image else self._nest
            body += ["", *write(group, number, source, dtype, target)]
            source, dtype = target, group.memory.dtype if group.memory else FLOAT32
        memory = "".join(f", m{n}" for n in range(len(self.memory)))
        run = [
            f"@njit(nogil=True, cache=True, {self.options})",
            f"def run(images, rows, ids, out, seed, epoch, start, stop{memory}):",
            "    for i in range(start, stop):",
            "        skey = sample_key(seed, epoch, ids[i])",
            *textwrap.indent("\n".join(body).strip("\n"), " " * 8).splitlines(),
        ]
        return "\n".join([*self._head(first, output), *self.functions, *run, ""])

    def _head(self, first, output):
        """What the text depends on stands in it, so that its hash names it: see `modules`."""
        imports = [f"from {name} import {', '.join(sorted(used))}" for name, used in self.imports.items()]
        return [
            f'"""Generated: from {first} to {output} in float32."""',
            f"# numba {numba.__version__}, the modules below {_fingerprint(self.imports)}",
            "import numpy as np",
            "from numba import njit",
            *imports,
            "",
            f"step = njit(forceinline=True, {self.options})",
            "",
        ]

    def _allocate(self, query):
        self.memory.append(query)
        return f"m{len(self.memory) - 1}"

    def _function(self, step, load=""):
        """Add the step's function; return its name."""
        name = f"step{step.index}"
        try:
            lifted = lift(step.function, name, step.stream, load, len(step.memory[1:]))
        except PipelineError as error:
            raise PipelineError(f"step {step.index}, {step.operation}: {error}") from error
        self.places[name] = f"step {step.index}, {step.operation}, written in {lifted.file}", lifted.lines
        for made in lifted.made.values():
            self.imports.setdefault(made.module, set()).add(made.name)
        made = [f"{name} = {value.text}" for name, value in lifted.made.items()]
        self.functions += [f"# step {step.index}: {step.operation}", *made, "@step", lifted.text, ""]
        return name

    def _image(self, group, number, source, dtype, target):
        step = group.steps[0]
        memory = ", ".join([source, target, *map(self._allocate, step.memory[1:])])
        return [f"# step {step.index}: {step.operation}", f"{self._function(step)}({memory}, skey)"]

    def _nest(self, group, number, source, dtype, target):
        """A loop over rows and pixels; in registers, eight pixels at a time, where all its arithmetic can be.

        Otherwise in two passes over each row: fetch it, then compute with it while it is in the nearest cache.
        """
        height, width, _ = group.after.shape
        points = [step for step in group.steps if step.kind == "point"]
        gathers = any(step.kind == "gather" for step in group.steps)
        planes = group.memory is None and group.after.layout == "CHW"
        floats = group.memory is None or group.memory.dtype == FLOAT32
        colours = [f"red, green, blue = {self._function(step)}(red, green, blue, skey)" for step in points]
        in_registers = floats and not gathers and all(is_straight(step.function) for step in points)
        lines = [f"source = {source}", f"for y in range({height}):"]
        if planes:
            lines.append(f"    r, g, b = {', '.join(f'{target}[{c}, y]' for c in range(3))}")
        elif in_registers:
            lines.append(f"    pixels = {target}[y].reshape({3 * width})")
        else:
            lines.append(f"    r, g, b = {self._row_memory(width)}")
        body = []
        if gathers:
            body += self._pull(group, number, dtype, width)
        else:
            body += self._fetch(group, width, colours if in_registers else [], planes or not in_registers)
        if not in_registers and (points or not planes):
            store = "r[x], g[x], b[x]" if planes else ", ".join(f"{target}[y, x, {c}]" for c in range(3))
            body += [f"for x in range({width}):", "    red, green, blue = r[x], g[x], b[x]"]
            body += [f"    {line}" for line in [*colours, f"{store} = red, green, blue"]]
        return [*lines, *textwrap.indent("\n".join(body), "    ").splitlines()]

    def _row_memory(self, width):
        memory = self._allocate(AllocationQuery((3, width), FLOAT32))
        return ", ".join(f"{memory}[{c}]" for c in range(3))

    def _fetch(self, group, width, colours, planes):
        """Read a row where the moves say, which are asked for its first and last pixel, compute, and write it."""
        height, wide, _ = group.before.shape
        moves = [self._function(step) for step in reversed(group.steps) if step.kind == "move"]
        lines = ["sy, first = y, 0", f"_, last = y, {width - 1}"]
        for name in moves:
            lines += [f"_, last = {name}(sy, last, skey)", f"sy, first = {name}(sy, first, skey)"]
        if moves:
            inside = f"0 <= sy < {height} and 0 <= min(first, last) and max(first, last) < {wide}"
            lines += [f"if not ({inside} and abs(last - first) == {width - 1}):"]
            lines += ["    raise IndexError('a @move left the image')"]
        lines.append(f"row = source[sy].reshape({3 * wide})")
        if width < LANES:
            loop, read = f"for x in range({width}):", ("pixel(row, first + x)", "pixel(row, first - x)")
            store = ["r[x], g[x], b[x] = red, green, blue" if planes else PIXEL]
        else:
            loop = f"for x in range(0, {width}, {LANES}):"
            read = "spread(row, first + x)", "spread_mirrored(row, first - x)"
            store = [f"store({c}, x, {name})" for c, name in zip("rgb", COLOURS, strict=True)]
            store = store if planes else ["interleave(pixels, x, red, green, blue)"]
            if width % LANES:
                colours = [*colours]
                loop += f"\n    x = min(x, {width - LANES})  # the last eight overlap"
        forward, backward = (
            [loop, *(f"    {line}" for line in [f"red, green, blue = {how}", *colours, *store])]
            for how in read
        )
        if not moves:
            return [*lines, *forward]
        indented = [textwrap.indent("\n".join(part), "    ") for part in (forward, backward)]
        return [*lines, "if first <= last:", indented[0], "else:", indented[1]]

    def _pull(self, group, number, dtype, width):
        """Pull each value through the chain of gathers and moves."""
        height, wide, _ = group.before.shape
        load = f"load{number}"
        clamped = f"source[np.uintp(min(max(y, 0), {height - 1})), np.uintp(min(max(x, 0), {wide - 1})), np.uintp(c)]"
        self.functions += [
            "@step",
            f"def {load}(source, skey, y, x, c):",
            f"    return np.float32({clamped})",
            "",
        ]
        for step in group.steps:
            if step.kind == "gather":
                load = self._function(step, load)
            elif step.kind == "move":
                name = self._function(step)
                self.functions += ["@step", f"def {name}_load(source, skey, y, x, c):"]
                self.functions += [
                    f"    y, x = {name}(y, x, skey)",
                    f"    return {load}(source, skey, y, x, c)",
                    "",
                ]
                load = f"{name}_load"
        return [
            f"for x in range({width}):",
            *(f"    {name}[x] = {load}(source, skey, y, x, {c})" for c, name in enumerate("rgb")),
        ]
