"""Chapter 11, code generation: source text that computes, an operation of one's own, and a plan of its memory."""

import ast
import math
import types
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

import numpy as np
from numba import njit
from numba.core.errors import NumbaError

from numba_course.exercises.chapters.errors_and_debugging import LeavesWordsAlone
from numba_course.exercises.exercise import Exercise
from numba_course.exercises.requirements import Matches, Requirement, difference
from numba_course.exercises.verdict import Finding
from numba_course.lens.dispatchers import reason
from numba_course.pipeline import (
    CenterCrop,
    Normalize,
    Operation,
    Pipeline,
    PipelineCompileError,
    ToLayout,
    interpreted,
    point,
    uniform,
)

# Text that computes.


def compose_source(names):
    """Return the source of a function of `x` that applies the functions of `math` with these names in order."""
    steps = [f"    x = math.{name}(x)" for name in names]
    return "\n".join(["import math", "", "", "def composed(x):", *steps, "    return x", ""])


VALUES = (0.25, 2.0)  # that the function in the text is called with


def compose_source_spec(names):
    """What the function in the text must give for `VALUES`, one call after the other."""
    results = []
    for x in VALUES:
        for name in names:
            x = getattr(math, name)(x)
        results.append(x)
    return results


def compose_source_examples():
    """No function; one; two in either order; the same twice; as many as there can be."""
    for names in ("", "sqrt", "exp sqrt", "sqrt exp", "cos cos log1p"):
        yield (names.split(),)
    yield (["sin", "exp", "fabs", "atan", "sqrt"] * 10,)


def compose_source_inputs():
    """Up to 50 functions that take any number."""
    from hypothesis import strategies as st

    return st.tuples(st.lists(st.sampled_from("sin cos atan tanh fabs asinh erf".split()), max_size=50))


def first_function(text):
    """Run `text` and return the first function that it defines.

    Raises
    ------
    ValueError
        If there is none, or it is not a plain one; the message says so.
    """
    names = [part.name for part in ast.parse(text).body if isinstance(part, ast.FunctionDef)]
    if not names:
        raise ValueError("the text defines no function")
    module = {}
    exec(text, module)
    function = module[names[0]]
    if not isinstance(function, types.FunctionType):
        raise ValueError(
            f"in the text, {names[0]} must be a plain function; leave it to others to compile it"
        )
    return function


@dataclass(frozen=True)
class ComputesInOrder(Requirement):
    """The answer returns text, and the first function of the text computes what it must."""

    name: ClassVar[str] = "right result"
    status: ClassVar[str] = "wrong"

    def of_run(self, run):
        if not isinstance(run.result, str):
            return f"it returned a value of type {type(run.result).__name__} where source text is asked"
        try:
            function = first_function(run.result)
            results = [function(x) for x in VALUES]
        except SyntaxError as error:
            return f"the text is not Python: {error.msg}, line {error.lineno} of the text"
        except ValueError as error:
            return str(error)
        except Exception as error:
            return f"the function in the text raised {type(error).__name__}: {error}"
        pairs = zip(VALUES, results, run.expected, strict=True)
        return next(
            (text for x, a, e in pairs if (text := difference(a, e, 1e-12, f"the function at {x}"))), ""
        )


@dataclass(frozen=True)
class CompilesUnderNjit(Requirement):
    """What is in the text compiles, and still computes the same."""

    name: ClassVar[str] = "the text compiles under njit"
    status: ClassVar[str] = "not compiled"

    def of_code(self, trial):
        for args in trial.exercise.examples():
            try:
                function = first_function(trial.answer(*trial.copies(args)))
                plain = function(VALUES[0])
            except Exception:  # another requirement says so
                return None
            try:
                compiled = njit(function)(VALUES[0])
            except NumbaError as error:
                return Finding(self.name, reason(error), trial.show(args))
            if seen := difference(compiled, plain, 1e-12, "compiled, the result"):
                return Finding(self.name, seen, trial.show(args))
        return None


# An operation of one's own.


class Invert(Operation):
    """Turn an image into its negative, with a probability."""

    def __init__(self, probability=0.5):
        self.probability = probability

    def generate_code(self):
        probability = self.probability

        @point
        def invert(r, g, b, key):
            if uniform(key, 0) < probability:
                return 255.0 - r, 255.0 - g, 255.0 - b
            return r, g, b

        return invert


def inverted(answer, images, parameters, seed):
    """Run images through a pipeline of the answer alone, as plain Python."""
    return Pipeline([answer(*parameters)], images.shape[1:], seed=seed, compiled=False)(images)


def invert_spec(images, parameters, seed):
    """Image by image, in NumPy."""
    (probability,) = parameters or (0.5,)
    out = images.astype(np.float32)
    for number, image in enumerate(out):
        key = interpreted.op_key(interpreted.sample_key(np.uint64(seed), np.uint64(0), number), 0)
        if interpreted.uniform(key, 0) < np.float32(probability):
            image[:] = 255 - image
    return out


def invert_examples():
    """Surely; never; sometimes, with two seeds; as often as it is if nobody says so."""
    images = np.random.default_rng(3).integers(0, 256, (12, 2, 3, 3), dtype=np.uint8)
    for parameters, seed in (((1.0,), 0), ((0.0,), 0), ((0.3,), 1), ((0.7,), 2), ((), 3)):
        yield images, parameters, seed


@dataclass(frozen=True)
class CompilesInAPipeline(Requirement):
    """Between two other operations, the compiled pipeline gives what the interpreted one gives."""

    name: ClassVar[str] = "compiles in a pipeline"
    status: ClassVar[str] = "not compiled"

    def of_code(self, trial):
        images = np.random.default_rng(4).integers(0, 256, (8, 4, 9, 3), dtype=np.uint8)
        steps = [CenterCrop(3, 8), trial.answer(0.5), Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))]
        try:
            result = Pipeline(steps, (4, 9, 3))(images)
        except PipelineCompileError as error:
            return Finding(self.name, str(error))
        plain = Pipeline(steps, (4, 9, 3), compiled=False)(images)
        if seen := difference(result, plain, 1e-5, "compiled, the batch"):
            return Finding(self.name, seen)
        return None


@dataclass(frozen=True)
class Fused(Requirement):
    """The operation declares no memory, so it is in the loop of the step before it."""

    name: ClassVar[str] = "fused"

    def of_code(self, trial):
        program = Pipeline([trial.answer(0.5), ToLayout("CHW")], (4, 9, 3), compiled=False).program
        if program.memory:
            return Finding(self.name, "it declares memory: its result is stored, and a new loop begins")
        return None


# Memory is the schedule.


def plan_buffers(states):
    """Return the sizes in bytes of the buffers that these steps need for one image, in the order of writing."""
    buffers, fused = [], None
    for shape, dtype, declares in states:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if declares and fused:
            buffers.append(fused)
        if declares:
            buffers.append(size)
        fused = None if declares else size
    return buffers


def plan_buffers_spec(states):
    """Cut the steps into runs that do or do not declare memory; all but a last run that does not are stored."""
    runs = [(declares, list(run)) for declares, run in groupby(states, key=lambda state: state[2])]
    if runs and not runs[-1][0]:
        runs.pop()
    stored = []
    for declares, run in runs:
        stored += run if declares else run[-1:]
    return [int(np.zeros(shape, dtype).nbytes) for shape, dtype, _ in stored]


def plan_buffers_examples():
    """Nothing; all fused; one stored, alone, first, last, in the middle; two in a row; two apart; bytes, doubles."""
    large, small = (8, 10, 3), (4, 5, 3)
    fused, cut = (large, "uint8", False), (small, "uint8", False)
    stored, bytes_, doubles = (large, "float32", True), (small, "uint8", True), (small, "float64", True)
    for steps in (
        (),
        (fused,),
        (fused, cut),
        (stored,),
        (stored, cut),
        (fused, stored),
        (fused, cut, bytes_),
        (fused, cut, doubles, cut),
        (stored, bytes_),
        (fused, stored, bytes_, cut),
        (fused, stored, fused, cut, doubles, cut, cut),
    ):
        yield (list(steps),)


def plan_buffers_inputs():
    """Up to seven steps."""
    from hypothesis import strategies as st

    shapes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))
    step = st.tuples(shapes, st.sampled_from(["uint8", "float32", "float64"]), st.booleans())
    return st.tuples(st.lists(step, max_size=7))


@dataclass(frozen=True)
class ReturnsListOfInts(Requirement):
    """The result is a list of whole numbers."""

    name: ClassVar[str] = "type of the result"
    status: ClassVar[str] = "wrong"

    def of_run(self, run):
        if not isinstance(run.result, list):
            return f"it returned a value of type {type(run.result).__name__} where a list is asked"
        odd = [value for value in run.result if not isinstance(value, (int, np.integer))]
        return f"{odd[0]!r} in its list is not a whole number of bytes" if odd else ""


EXERCISES = (
    Exercise(
        name="compose_source",
        reference=compose_source,
        spec=compose_source_spec,
        examples=compose_source_examples,
        inputs=compose_source_inputs,
        requirements=(ComputesInOrder(), LeavesWordsAlone(), CompilesUnderNjit()),
        hints=(
            "Write down by hand the text that you want for the names sqrt and exp. Which lines are the same for "
            "any names?",
            "One line for each name is enough: it gives `x` its new value. What is left of the text for no name?",
            'The lines are "import math", "def composed(x):", one `    x = math.NAME(x)` for each name, and '
            '"    return x"; join them with "\\n".',
        ),
        explanation=(
            "A line for each name keeps the text flat and readable, however many there are, and an error names "
            "the line of its function. The text imports what it needs itself, so it means the same wherever it "
            "is run. There is no loop and no list of names in it: the loop ran when the text was written."
        ),
    ),
    Exercise(
        name="plan_buffers",
        reference=plan_buffers,
        spec=plan_buffers_spec,
        examples=plan_buffers_examples,
        inputs=plan_buffers_inputs,
        requirements=(Matches(), ReturnsListOfInts(), LeavesWordsAlone()),
        hints=(
            "Go through the steps with one question in mind: is there a result that is still on its way?",
            "Keep the size of what the last fused step gave. A step that declares memory first has that stored, and "
            "then its own result; what comes after the last such step goes to the batch.",
            "A step gives math.prod(shape) * np.dtype(dtype).itemsize bytes. If it declares memory, append what waits, "
            "if anything does, then its own; else let its own wait, instead of what waited before.",
        ),
        explanation=(
            "A fused step costs no memory, unless the step after it must see a whole image. So only the last of "
            "several fused steps counts, and only if memory is declared later. Forget it once it is stored: else "
            "it would be stored again before the next step that declares memory."
        ),
    ),
    Exercise(
        name="Invert",
        reference=Invert,
        spec=invert_spec,
        examples=invert_examples,
        call=inverted,
        requirements=(Matches(), CompilesInAPipeline(), Fused()),
        hints=(
            "Of the four kinds of function, which one changes the values of a pixel, and leaves it in its place?",
            "generate_code defines a function marked by @point and returns it: invert(r, g, b, key) -> (r, g, b). "
            "Give it the probability by a variable of generate_code: a number it can hold, self it cannot.",
            "uniform(key, 0) is the same for all pixels of an image. If it is below the probability, return "
            "255.0 - r, 255.0 - g, 255.0 - b; else r, g, b.",
        ),
        explanation=(
            "The draw is written inside the function of one pixel, and yet made once an image: the key does not "
            "change within it, and the compiler takes the draw and the question out of the loop. It declares no "
            "memory, so the negative costs no pass over the image of its own."
        ),
    ),
)
