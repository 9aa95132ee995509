"""From operations to the text of one module: declare, group by memory, write a loop for each group."""

from __future__ import annotations

import hashlib
import math
import re
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numba
import numpy as np

from numba_course.kernels.checks import check_integer
from numba_course.pipeline import runtime, trial, ways
from numba_course.pipeline.lifting import Lifted, lift
from numba_course.pipeline.protocol import (
    AN_ADDRESS,
    CHANNELS,
    FLOAT32,
    KINDS,
    LAYOUTS,
    REALS,
    AllocationQuery,
    Operation,
    PipelineError,
    State,
    checked,
)
from numba_course.pipeline.runtime import LANES

UINT8 = np.dtype(np.uint8)
EXACT = {
    np.dtype(name) for name in ("uint8", "int8", "uint16", "int16", "float32")
}  # in float32, as pixels travel
LARGEST_STREAM = 2**62
# What LLVM may do in fast arithmetic. With "nnan" or "ninf" an index that is NaN or infinite could become any number.
FAST = "{'afn', 'arcp', 'contract', 'nsz', 'reassoc'}"


@dataclass(frozen=True)
class Step:
    """An operation at its place: what goes in, what comes out, its function and its memory; an @each is a point."""

    index: int
    operation: str
    kind: str
    before: State
    after: State
    memory: tuple[AllocationQuery, ...]
    lifted: Lifted | None = field(compare=False, repr=False)


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
        Nothing that an operation says of itself is in it: `annotated` is the same with that.
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

    @property
    def annotated(self) -> str:
        """The source, in which a comment says which operation a step is."""
        names = {row[0]: row[1] for row in self.schedule}
        return re.sub(
            r"# step (\d+)$", lambda at: f"{at[0]}: {names[at[1]]}", self.source, flags=re.MULTILINE
        )


def generate(
    operations: Sequence[Operation],
    shape: tuple[int, int, int],
    dtype: np.dtype,
    *,
    fastmath: bool = False,
    boundscheck: bool = False,
) -> Program:
    """Write the module of a pipeline.

    Parameters
    ----------
    operations : sequence of Operation
    shape : tuple of int
        Height, width and 1 to 4 channels of the uint8 images that go in.
    dtype : numpy.dtype
        Of the batches: float32, or uint8 where that comes out of the last operation.
    fastmath : bool
        As for `numba.njit`, but NaN and infinity stay what they are.
    boundscheck : bool
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
    output = steps[-1].after if steps else first
    if dtype != FLOAT32 and output.dtype != dtype:
        step = next(step for step in reversed(steps) if step.before.dtype == dtype)
        raise PipelineError(
            f"batches cannot be {dtype}: step {step.index}, {step.operation}, makes {step.after.dtype}"
        )
    output = State(output.shape, dtype, output.layout)
    writer = _Writer(groups, dtype, fastmath, boundscheck)
    return Program(
        source=writer.module(first, output),
        input=first,
        output=output,
        memory=tuple(writer.memory),
        schedule=tuple(_schedule(groups)),
        places=writer.places,
    )


def _shape(shape):
    sizes = tuple(shape) if isinstance(shape, Sequence) else ()
    if not (len(sizes) == 3 and _are_sizes(sizes) and sizes[2] in CHANNELS):
        raise PipelineError(f"shape must be (height, width, channels), with 1 to 4 channels, not {shape!r}")
    return tuple(map(int, sizes))


def _are_sizes(sizes):
    return all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n > 0 for n in sizes)


def declare(operations: Sequence[Operation], state: State) -> list[Step]:
    """Ask each operation, in order, what it makes of the state and whether it needs memory, and hold it to that."""
    steps = []
    for index, operation in enumerate(operations):
        name = told(operation)
        if not isinstance(operation, Operation):
            raise PipelineError(f"step {index}, {name}: it must be an Operation")
        try:
            step = _declared(index, name, operation, state)
        except Exception as error:  # a learner's code may raise anything
            what = error if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"
            raise PipelineError(f"step {index}, {name}: {what}") from error
        steps.append(step)
        state = step.after
    return steps


def told(operation: object) -> str:
    """What an object says of itself, in one line; its type if it cannot, or says where it is in memory."""
    try:
        text = repr(operation)
    except Exception:
        text = ""
    if not text or AN_ADDRESS.search(text):
        text = f"{type(operation).__name__}(...)"
    return " ".join(text.split())


def _declared(index, name, operation, before):
    """The step that an operation is at its place."""
    if before.layout != "HWC":
        raise PipelineError(f"nothing can come after the layout {before.layout}")
    after, queries = operation.declare_state_and_memory(before)
    memory = (queries,) if isinstance(queries, AllocationQuery) else tuple(queries or ())
    function = operation.generate_code()
    kind = "none" if function is None else getattr(function, "kind", None)
    if kind not in ("none", *KINDS):
        raise PipelineError(f"generate_code must return a function marked by @{', @'.join(KINDS)}, or None")
    _check_declaration(kind, before, after, memory)
    dtype = FLOAT32 if kind in REALS else memory[0].dtype if memory else np.dtype(after.dtype)
    after = replace(after, shape=tuple(map(int, after.shape)), dtype=dtype)
    lifted = None
    if function is not None:
        stream = index if operation.stream is None else operation.stream
        stream = checked(check_integer, "stream", stream, 0, LARGEST_STREAM)
        shapes = (before.shape, *(query.shape for query in memory)) if kind == "image" else ()
        lifted = lift(function, index, stream, before.shape[2], shapes)
        after = _ranged(operation, lifted, kind, before, after)
    what = "point" if kind == "each" else kind
    return Step(index, name, what, before, after, memory, lifted)


def _ranged(operation, lifted, kind, before, after):
    """What comes out, with the range that its values keep to."""
    seen = trial.outside(lifted, kind, before, after)
    if not seen:
        return after
    if type(operation).declare_state_and_memory is not Operation.declare_state_and_memory:
        low, high = after.values
        raise PipelineError(
            f"it declares values in {low:g}..{high:g}, but gives {seen}; clip them, or declare values=None"
        )
    return replace(after, values=None)


def _check_declaration(kind, before, after, memory):
    """Refuse what an operation declares unless a step of its kind makes just that of what goes in."""
    if not isinstance(after, State):
        raise PipelineError(f"declare_state_and_memory must return a State first, not {told(after):.60}")
    _check_state(after)
    if (kind == "image") != bool(memory):
        raise PipelineError("an @image operation must declare memory, and no other one may")
    for query in memory:
        _check_memory(query)
    if after.shape[2] != before.shape[2] and kind != "image":
        raise PipelineError(
            f"it declares {after.shape[2]} channels of {before.shape[2]}, and only an @image can change their number"
        )
    if kind in ("none", "each", "point") and tuple(after.shape) != before.shape:
        what = "what generates no code" if kind == "none" else f"a @{kind}"
        raise PipelineError(f"{what} cannot make {_sizes(after.shape)} of {_sizes(before.shape)}")
    if kind == "image":
        _check_result(before, after, memory[0])
        return
    possible = {before.dtype, FLOAT32} if kind in REALS else {before.dtype}
    if np.dtype(after.dtype) not in possible:
        what = "what generates no code" if kind == "none" else f"a @{kind}"
        makes = "float32" if kind in REALS else f"{before.dtype}, which goes in"
        raise PipelineError(f"it declares {np.dtype(after.dtype)}, but {what} gives {makes}")


def _check_result(before, after, memory):
    """Refuse memory that does not hold what comes out; a dtype that is left as it came in says nothing of that."""
    if tuple(memory.shape) != tuple(after.shape) or np.dtype(after.dtype) not in (memory.dtype, before.dtype):
        raise PipelineError(
            f"its memory is {memory.dtype} {_sizes(memory.shape)}, but it declares that {after} comes out"
        )
    _check_state(replace(after, dtype=memory.dtype))


def _check_state(state):
    if not isinstance(state.shape, tuple) or len(state.shape) != 3 or not _are_sizes(state.shape):
        raise PipelineError(f"a State's shape must be (height, width, channels), not {state.shape!r:.60}")
    if state.shape[2] not in CHANNELS:
        raise PipelineError(f"a State has 1 to 4 channels, not {state.shape[2]}")
    if _dtype(state.dtype) not in EXACT:
        raise PipelineError(
            f"a State's dtype must be float32 or what that holds exactly, integers of 8 or 16 bits, not {state.dtype}"
        )
    if state.layout not in LAYOUTS:
        raise PipelineError(f"a State's layout must be 'CHW' or 'HWC', not {state.layout!r:.60}")
    ends = state.values
    if ends is None:
        return
    pair = isinstance(ends, tuple) and len(ends) == 2 and all(isinstance(end, int | float) for end in ends)
    if not (pair and -math.inf < ends[0] < ends[1] < math.inf):
        raise PipelineError(
            f"a State's values must be a lower and a higher number, or None, not {ends!r:.60}"
        )


def _dtype(dtype):
    """The dtype; None for what is none."""
    try:
        return np.dtype(dtype)
    except TypeError:
        return None


def _check_memory(query):
    if not isinstance(query, AllocationQuery):
        raise PipelineError(f"memory is declared by AllocationQuery, not {told(query):.60}")
    if not isinstance(query.shape, tuple) or not query.shape or not _are_sizes(query.shape):
        raise PipelineError(f"the shape of memory must be a tuple of integers, not {query.shape!r:.60}")
    if query.dtype.kind not in "biufc" or not query.dtype.isnative:
        raise PipelineError(f"the dtype of memory must be of numbers, not {query.dtype}")


def _sizes(shape):
    return "×".join(map(str, shape))


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


def _initials(channels):
    """What the row of each channel is called in generated code."""
    return [name[0] for name in CHANNELS[channels]]


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

    def __init__(self, groups, dtype, fastmath, boundscheck):
        self.groups, self.dtype = groups, dtype
        self.floats = f"error_model='numpy', fastmath={FAST if fastmath else False}"
        self.boundscheck = boundscheck
        self.memory, self.functions, self.places = [], [], {}
        self.imports = {runtime.__name__: set(runtime.GENERATED), ways.__name__: {"OneTypeEach"}}

    def module(self, first, output):
        """The whole text."""
        body, source = [], "images[rows[i]]"
        for number, group in enumerate(self.groups):
            target = self._allocate(group.memory) if group.memory else "out[i]"
            write = self._image if group.is_image else self._nest
            body += ["", *write(group, number, source, target)]
            source = target
        memory = "".join(f", m{n}" for n in range(len(self.memory)))
        run = [
            f"@njit(nogil=True, cache=True, {self.floats}, boundscheck={self.boundscheck!r})",
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
            f'"""Generated: from {first} to {output}."""',
            f"# numba {numba.__version__}, the modules below {_fingerprint(self.imports)}",
            "import numpy as np",
            "from numba import njit",
            *imports,
            "",
            "# An operation's own indices are always looked at; what the shapes show costs nothing.",
            f"step = njit(forceinline=True, {self.floats}, boundscheck=True, pipeline_class=OneTypeEach)",
            f"between = njit(forceinline=True, {self.floats}, boundscheck={self.boundscheck!r})",
            "",
        ]

    def _allocate(self, query):
        self.memory.append(query)
        return f"m{len(self.memory) - 1}"

    def _function(self, step):
        """Add the step's function; return its name."""
        lifted = step.lifted
        for written in lifted.functions:
            if written.file:
                where = f"step {step.index}, {step.operation}, written in {written.file}"
                self.places[written.name] = where, written.lines
        for made in lifted.made.values():
            self.imports.setdefault(made.module, set()).add(made.name)
        made = [f"{name} = {value.text}" for name, value in lifted.made.items()]
        texts = [line for written in lifted.functions for line in ("@step", written.text, "")]
        self.functions += [f"# step {step.index}", *made, *texts]
        return lifted.name

    def _image(self, group, number, source, target):
        step = group.steps[0]
        memory = ", ".join([source, target, *map(self._allocate, step.memory[1:])])
        return [f"# step {step.index}", f"{self._function(step)}({memory}, skey)"]

    def _nest(self, group, number, source, target):
        """A loop over rows and pixels; in registers, eight pixels at a time, where all its arithmetic can be.

        What it stores as integers without arithmetic were integers before.

        Otherwise in two passes over each row: fetch it, then compute with it while it is in the nearest cache.
        """
        height, width, channels = group.after.shape
        points = [step for step in group.steps if step.kind == "point"]
        pulls = any(
            step.kind == "gather" or (step.kind == "move" and not step.lifted.keeps_rows)
            for step in group.steps
        )
        planes = group.memory is None and group.after.layout == "CHW"
        dtype = group.memory.dtype if group.memory else self.dtype
        values, rows = ", ".join(CHANNELS[channels]), ", ".join(_initials(channels))
        pixel = f"({values},)" if channels == 1 else values  # a tuple, to be assigned to
        colours = [f"{pixel} = {self._function(step)}({values}, skey)" for step in points]
        in_registers = (
            (dtype == FLOAT32 or not points) and not pulls and all(step.lifted.is_straight for step in points)
        )
        lines = [f"source = {source}", f"for y in range({height}):"]
        if planes:
            lines.append(f"    {rows} = {', '.join(f'{target}[{c}, y]' for c in range(channels))}")
        elif in_registers:
            lines.append(f"    pixels = {target}[y].reshape({channels * width})")
        else:
            lines.append(f"    {rows} = {self._row_memory(channels, width)}")
        body = []
        if pulls:
            body += self._pull(group, number, width)
        else:
            written = dtype if in_registers else FLOAT32
            body += self._fetch(
                group, width, colours if in_registers else [], planes or not in_registers, written
            )
        if not in_registers and (points or not planes):
            load = ", ".join(f"{row}[x]" for row in _initials(channels))
            store = load if planes else ", ".join(f"{target}[y, x, {c}]" for c in range(channels))
            body += [f"for x in range({width}):", f"    {values} = {load}"]
            body += [f"    {line}" for line in [*colours, f"{store} = {values}"]]
        return [*lines, *textwrap.indent("\n".join(body), "    ").splitlines()]

    def _row_memory(self, channels, width):
        memory = self._allocate(AllocationQuery((channels, width), FLOAT32))
        return ", ".join(f"{memory}[{c}]" for c in range(channels))

    def _fetch(self, group, width, colours, planes, dtype):
        """Read a row where the moves say, and compute, and write it.

        They keep rows together, so they are asked for the first and the last pixel. Each must stay in its own image.
        """
        _, wide, channels = group.before.shape
        moves = [step for step in reversed(group.steps) if step.kind == "move"]
        lines = ["sy, first = y, 0", f"_, last = y, {width - 1}"]
        for step in moves:
            name = self._function(step)
            rows, columns, _ = step.before.shape
            inside = f"0 <= sy < {rows} and 0 <= min(first, last) and max(first, last) < {columns}"
            lines += [f"_, last = {name}(sy, last, skey)", f"sy, first = {name}(sy, first, skey)"]
            lines += [f"if not ({inside} and abs(last - first) == {width - 1}):"]
            lines += ["    raise IndexError('a @move left the image')"]
        lines.append(f"row = source[sy].reshape({channels * wide})")
        forward, backward = self._both_ways(channels, width, colours, planes)
        if not colours and dtype == group.before.dtype and (channels == 1 or not planes):
            forward = [f"copy({'g' if planes else 'pixels'}, row, {channels} * first)"]
        if not moves:
            return [*lines, *forward]
        indented = [textwrap.indent("\n".join(part), "    ") for part in (forward, backward)]
        return [*lines, "if first <= last:", indented[0], "else:", indented[1]]

    def _both_ways(self, channels, width, colours, planes):
        """The loop over the pixels of a row, from the first one forwards, and backwards."""
        names, rows = CHANNELS[channels], _initials(channels)
        values = ", ".join(names)
        pixel = f"({values},)" if channels == 1 else values
        number = "" if channels == 3 else channels  # of channels, in the names of what is called
        if width < LANES:
            loop = f"for x in range({width}):"
            read = f"pixel{number}(row, first + x)", f"pixel{number}(row, first - x)"
            places = (f"pixels[{channels} * x + {c}]" for c in range(channels))
            store = [f"{', '.join((f'{row}[x]' for row in rows) if planes else places)} = {values}"]
        else:
            loop = f"for x in range(0, {width}, {LANES}):"
            read = f"spread{number}(row, first + x)", f"spread_mirrored{number}(row, first - x)"
            store = [f"store({row}, x, {name})" for row, name in zip(rows, names, strict=True)]
            store = store if planes else [f"interleave{number}(pixels, x, {values})"]
            if width % LANES:
                loop += f"\n    x = min(x, {width - LANES})  # the last eight overlap"
        return [[loop, *(f"    {line}" for line in [f"{pixel} = {how}", *colours, *store])] for how in read]

    def _pull(self, group, number, width):
        """Pull each value through the chain of gathers and moves, each of which stays in its own image."""
        load = f"source{number}"
        self._loading(load, ["return np.float32(source[np.uintp(y), np.uintp(x), np.uintp(c)])"])
        for step in group.steps:
            if step.kind not in ("gather", "move"):
                continue
            rows, columns, channels = step.before.shape  # a group keeps its number of channels
            call = f"return {load}(source, skey, y, x, c)"
            if step.kind == "gather":
                self._loading(
                    f"load{step.index}",
                    [
                        f"y, x, c = nearest(y, {rows - 1}), nearest(x, {columns - 1}), nearest(c, {channels - 1})",
                        call,
                    ],
                )
                load = self._function(step)
            else:
                load = f"load{step.index}"
                self._loading(
                    load,
                    [
                        f"y, x = {self._function(step)}(y, x, skey)",
                        f"if not (0 <= y < {rows} and 0 <= x < {columns}):",
                        "    raise IndexError('a @move left the image')",
                        call,
                    ],
                )
        return [
            f"for x in range({width}):",
            *(
                f"    {row}[x] = {load}(source, skey, y, x, {c})"
                for c, row in enumerate(_initials(group.after.shape[2]))
            ),
        ]

    def _loading(self, name, body):
        self.functions += [
            "@between",
            f"def {name}(source, skey, y, x, c):",
            *(f"    {line}" for line in body),
            "",
        ]
