"""Chapter 11, code generation: source text that computes, operations of one's own and of FFCV's, and their memory."""

import math
from dataclasses import replace
from functools import partial
from itertools import groupby

import numpy as np

from numba_course.exercises.predictions import Prediction
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.batches import (
    CompilesForABatch,
    FillsItsMemory,
    FlipsTheRightOnes,
    LeavesTheBatchAlone,
    SharesTheBatch,
    epoch_of,
    shown_epoch,
)
from numba_course.exercises.requirements.calls import RunsEverywhere
from numba_course.exercises.requirements.pipelines import (
    CompilesInAPipeline,
    Fused,
    MatchesImages,
    batch_of,
    shown_batch,
)
from numba_course.exercises.requirements.results import LeavesWordsAlone, Matches, ReturnsListOfInts
from numba_course.exercises.requirements.source_text import CompilesUnderNjit, ComputesInOrder, composed
from numba_course.pipeline import (
    AllocationQuery,
    Operation,
    interpreted,
    point,
    uniform,
)
from numba_course.pipeline.batchwise import Compiler

# Text that computes.


def compose_source(names):
    """Return the source of a function of `x` that applies the functions of `math` with these names in order."""
    steps = [f"    x = math.{name}(x)" for name in names]
    return "\n".join(["import math", "", "", "def composed(x):", *steps, "    return x", ""])


VALUES = (0.25, 2.0, 0.75)  # that the function in the text is called with


def computed(answer, names):
    """What the function in the answer's text gives for `VALUES`."""
    return composed(answer, names, VALUES)


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
    for names in ("", "sqrt", "exp sqrt", "sqrt exp", "cos cos log1p", "sinh log2 fabs expm1 degrees"):
        yield (names.split(),)
    yield (["sin", "exp", "fabs", "atan", "sqrt"] * 10,)


def compose_source_inputs(st):
    """Up to 50 functions that take any number."""
    return st.tuples(st.lists(st.sampled_from("sin cos atan tanh fabs asinh erf".split()), max_size=50))


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
    """Run images through a pipeline of the answer alone, as plain Python; another one is made, and must not matter."""
    operation = answer(*parameters)
    _another = answer(0.0 if parameters == (1.0,) else 1.0)
    return batch_of(operation, images, seed)


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
    """No image; surely; never; sometimes, with two seeds; without a probability; many images; wide ones."""
    images = np.random.default_rng(3).integers(0, 256, (12, 2, 3, 3), dtype=np.uint8)
    yield images[:0], (1.0,), 0
    for parameters, seed in (((1.0,), 0), ((0.0,), 0), ((0.3,), 1), ((0.7,), 2), ((), 3)):
        yield images, parameters, seed
    for shape in ((150, 1, 2, 3), (3, 5, 70, 3)):
        yield np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8), (0.6,), 4


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
    return [np.broadcast_to(np.zeros((), dtype), shape).nbytes for shape, dtype, _ in stored]


def plan_buffers_examples():
    """Nothing; all fused; one stored, alone, first, last, between; two in a row, apart; planes; large; many."""
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
        (((3, 10, 20), "uint8", True),),
        (((60_000, 40_000, 3), "float64", True),),
        (fused, stored, cut) * 40,
    ):
        yield (list(steps),)


def plan_buffers_inputs(st):
    """Up to twelve steps."""
    shapes = st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))
    step = st.tuples(shapes, st.sampled_from(["uint8", "float32", "float64"]), st.booleans())
    return st.tuples(st.lists(step, max_size=12))


# FFCV's own contract.


class ffcv_flip(Operation):
    """Flip about half of the images, chosen by a key and their numbers."""

    def __init__(self, key):
        self.key = key

    def declare_state_and_memory(self, state):
        return replace(state, jit_mode=True), AllocationQuery(state.shape, state.dtype)

    def generate_code(self):
        my_range, key = Compiler.get_iterator(), self.key

        def flip(images, dst, indices):
            for i in my_range(len(indices)):
                if uniform(key, indices[i]) < 0.5:
                    dst[i] = images[i, :, ::-1]
                else:
                    dst[i] = images[i]
            return dst

        flip.is_parallel = True
        flip.with_indices = True
        return flip


def flipped(answer, images, order, key):
    """Take the images through an epoch with an operation of the answer alone, as plain Python."""
    return epoch_of(answer(key), images, order)


def ffcv_flip_spec(images, order, key):
    """Image by image, in NumPy."""
    chosen = (interpreted.uniform(key, index) < 0.5 for index in order)
    batches = [image[:, ::-1] if flip else image for flip, image in zip(chosen, images[order], strict=True)]
    return np.array(batches, images.dtype).reshape(images[order].shape)


def ffcv_flip_examples():
    """No image; one, with two keys; a batch; one and a half; in another order; some of many; of float32."""
    images = np.random.default_rng(5).integers(100, 256, (24, 3, 4, 3), dtype=np.uint8)
    for count, key in ((0, 1), (1, 1), (1, 3), (4, 1), (6, 2)):
        yield images, np.arange(count, dtype=np.uint64), np.uint64(key)
    for order in ([5, 2, 0, 4, 1, 3], [17, 3, 23, 8, 9, 20, 11], range(23, -1, -1)):
        yield images, np.array(order, np.uint64), np.uint64(4)
    yield images.astype(np.float32)[:, :, :3], np.arange(10, dtype=np.uint64), np.uint64(2**63 + 5)


def ffcv_flip_inputs(st):
    """A few small images, some of them in any order, and any key."""
    images = st.arrays(
        np.uint8,
        st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 5), st.just(3)),
        elements=st.integers(100, 255),
    )
    keys = st.integers(0, 2**64 - 1).map(np.uint64)
    return images.flatmap(
        lambda batch: st.tuples(
            st.just(batch),
            st.permutations(range(len(batch))).map(lambda order: np.array(order, np.uint64)),
            keys,
        )
    )


EXERCISES = (
    Exercise(
        name="compose_source",
        reference=compose_source,
        spec=compose_source_spec,
        examples=compose_source_examples,
        inputs=compose_source_inputs,
        call=computed,
        requirements=(
            ComputesInOrder(VALUES),
            LeavesWordsAlone(),
            CompilesUnderNjit(VALUES),
            RunsEverywhere(),
        ),
        hints=(
            "Write down by hand the text that you want for the names sqrt and exp. Which lines are the same for "
            "any names?",
            "One line for each name is enough: it gives `x` its new value. What is left of the text for no name?",
            'The lines are `"import math"`, `"def composed(x):"`, one `    x = math.NAME(x)` for each name, '
            'and `"    return x"`; join them with `"\\n"`.',
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
            "A step gives `math.prod(shape) * np.dtype(dtype).itemsize` bytes. If it declares memory, "
            "append what waits, if anything does, then its own; else let its own wait, instead of what "
            "waited before.",
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
        shown=partial(shown_batch, "Invert"),
        requirements=(MatchesImages(), CompilesInAPipeline(), Fused(), RunsEverywhere()),
        hints=(
            "Of the four kinds of function above, which one changes the values of a pixel, and leaves it in its place?",
            "`generate_code` defines a function marked by `@point` and returns it: `invert(r, g, b, key) -> "
            "(r, g, b)`. Give it the probability by a variable of `generate_code`: a number it can hold, "
            "self it cannot.",
            "`uniform(key, 0)` is the same for all pixels of an image. If it is below the probability, "
            "return `255.0 - r, 255.0 - g, 255.0 - b`; else `r, g, b`.",
        ),
        explanation=(
            "The draw is written inside the function of one pixel, and yet made once an image: the key does not "
            "change within it, and the compiler takes the draw and the question out of the loop. It declares no "
            "memory, so the negative costs no pass over the image of its own."
        ),
    ),
    Exercise(
        name="ffcv_flip",
        reference=ffcv_flip,
        spec=ffcv_flip_spec,
        examples=ffcv_flip_examples,
        inputs=ffcv_flip_inputs,
        call=flipped,
        shown=partial(shown_epoch, "ffcv_flip"),
        requirements=(
            FlipsTheRightOnes(),
            LeavesTheBatchAlone(),
            FillsItsMemory(),
            CompilesForABatch(),
            SharesTheBatch(),
            RunsEverywhere(),
        ),
        hints=(
            "What does the function need to know besides the images? How does an operation tell the loop that it "
            "wants that?",
            "The third argument holds the numbers of the images of this batch: the number of `images[i]` is "
            "`indices[i]`. The function gets it if it has `with_indices = True`. Take the key, and what "
            "`Compiler.get_iterator()` gives, into variables of `generate_code`.",
            "For each `i`: if `uniform(key, indices[i]) < 0.5`, then `dst[i] = images[i, :, ::-1]`, else "
            "`dst[i] = images[i]`. Return `dst`. After the function, set `flip.is_parallel = True` and "
            "`flip.with_indices = True`, and return it.",
            "`declare_state_and_memory` returns two things: `replace(state, jit_mode=True)`, and "
            "`AllocationQuery(state.shape, state.dtype)`, the memory for one image.",
        ),
        explanation=(
            "An image that stays as it is must be copied, too: `dst` holds what an earlier batch left there, or, "
            "before its first use, anything at all. The draw takes the number of the image and not its "
            "place in the batch, so an image comes out the same in any order and in batches of any size. FFCV's own "
            "flip draws from NumPy's generator instead, and need not know the numbers."
        ),
    ),
)

PREDICTIONS = (
    Prediction(
        name="stage_functions",
        question=(
            "Of five operations two are compiled and come first, and the others are left to Python. For how many "
            "stages does FFCV's graph generate a function?"
        ),
        choices=(1, 2, 5),
        answer=2,
        why={
            1: (
                "The operations follow each other in one loop over the batches, so one function could call them all. "
                "But FFCV keeps what is compiled apart from what is not, and gives each a function."
            ),
            5: (
                "Each operation hands over a function of its own, and that makes five. But those are not generated; "
                "what is generated calls them."
            ),
        },
    ),
)
