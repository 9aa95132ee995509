"""Chapter 02, type inference: one return type, float32 that stays float32, a mean that does not wrap, predictions."""

import numpy as np
from numba import njit

from numba_course.exercises.arrays import BLOCKS, LARGE, layouts
from numba_course.exercises.predictions import Prediction
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.machine_code import StaysFloat32
from numba_course.exercises.requirements.results import CloseToMean, LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.structure import Compiled, ReturnType, StaysCompiled

# One return type, whichever `return` is reached.


@njit
def first_above(values, threshold):
    """Return the index of the first value that is larger than `threshold`, or -1."""
    for i in range(values.size):
        if values[i] > threshold:
            return i
    return -1


def first_above_spec(values, threshold):
    """The first index of a list."""
    return next((i for i, value in enumerate(values) if value > threshold), -1)


def first_above_examples():
    """No value; one, equal or larger; the first, the last, none of several; NaN and infinities; late among many."""
    yield np.array([]), 0.0
    yield np.array([1.0]), 1.0
    yield np.array([1.0]), 0.5
    yield np.array([1.0, 5.0, 3.0, 7.0]), 2.0
    yield np.array([1.0, 2.0, 3.0]), 2.0
    yield np.array([3.0, 2.0, 1.0]), 5.0
    yield np.array([-3.0, -2.0]), -4.0
    yield np.array([np.nan, -np.inf, np.nan, np.inf]), 0.0
    yield np.array([np.nan, -1.0, 1.0]), -np.inf
    yield np.array([1.0, np.inf]), np.nan
    for values in layouts(np.arange(LARGE) % 1000 * 0.5):
        for threshold in (3.0, 499.0, 499.5):
            yield values, threshold
    yield np.repeat([0.0, 1.0, 2.0], [60_000, 9000, 1001]), 0.5
    yield np.append(np.zeros(BLOCKS - 1), 1.0), 0.5


def first_above_inputs(st):
    """Short arrays of a few values, and one of them as the threshold, so that they are often equal."""
    value = st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 2.5, np.inf, np.nan])
    return st.tuples(st.arrays(np.float64, st.integers(0, 24), elements=value), value)


# Float32 that stays float32.


@njit
def apply_gain(image, gain):
    """Return a new float32 image: each pixel times `gain`."""
    factor = np.float32(gain)
    out = np.empty_like(image)
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            out[i, j] = image[i, j] * factor
    return out


def apply_gain_spec(image, gain):
    """The product of arrays, as NumPy computes it in float32."""
    return image * np.float32(gain)


def apply_gain_examples():
    """No pixel; one; rows unlike columns; gains 0, 1, below 0; not finite; with gaps; transposed; large."""
    yield np.zeros((0, 3), np.float32), 2.0
    yield np.array([[3.0]], np.float32), 0.5
    small = np.arange(6, dtype=np.float32).reshape(2, 3)
    for gain in (1.0, 0.0, -1.5, 0.1):
        yield small, gain
    yield np.array([[np.nan, np.inf, -np.inf]], np.float32), 2.0
    yield np.sin(np.arange(24, dtype=np.float32)).reshape(4, 6).T[::2], 1.1
    for image in layouts(np.cos(np.arange(LARGE - 1, dtype=np.float32)).reshape(100, -1)):
        yield image, 0.7


def apply_gain_inputs(st):
    """Small images of moderate values."""
    shapes = st.array_shapes(min_dims=2, max_dims=2, max_side=10)
    images = st.arrays(np.float32, shapes, elements=st.floats(-1000, 1000, width=32))
    return st.tuples(images, st.floats(-8, 8, width=32))


def apply_gain_types():
    """One image: the types are the same for all."""
    yield np.ones((2, 2), np.float32), 2.0


# A mean that does not wrap.


@njit
def safe_mean(values):
    """Return the mean of int64 values, however large they are."""
    total = 0.0
    for value in values:
        total += value
    return total / values.size


def safe_mean_spec(values):
    """From Python's integers, which have no end, and a division rounded once."""
    return sum(values.tolist()) / values.size


def safe_mean_examples():
    """One value, small and extreme; sums beyond int64 on both sides; extremes that cancel; many, anywhere in int64."""
    low, high = -(2**63), 2**63 - 1
    for few in (
        [3],
        [1, 2],
        [-1, 0, 5],
        [0, 0],
        [high],
        [low],
        [high, high],
        [low, low, low],
        [low, high],
        [10**18, 7],
    ):
        yield (np.array(few, np.int64),)
    yield (np.array([high, high, low, 7], np.int64),)
    yield (np.arange(1000) * 2**53 - 2**62,)
    yield (np.full(1000, high),)
    anywhere = np.arange(LARGE, dtype=np.uint64) * np.uint64(
        0x9E3779B97F4A7C15
    )  # which wraps round, as it should
    for values in layouts(anywhere.view(np.int64)):
        yield (values,)


def safe_mean_inputs(st):
    """Short arrays of any int64."""
    return st.tuples(st.arrays(np.int64, st.integers(1, 24), elements=st.integers(-(2**63), 2**63 - 1)))


EXERCISES = (
    Exercise(
        name="first_above",
        reference=first_above,
        spec=first_above_spec,
        examples=first_above_examples,
        inputs=first_above_inputs,
        requirements=(
            Compiled(),
            Matches(),
            Returns("int64", ndim=0),
            ReturnType("int64"),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "Return from inside the loop as soon as you know. What is returned if the loop ends?",
            "A function that ends without `return` returns None, and its type becomes Optional. Both results "
            "must be integers.",
            "`for i in range(values.size): if values[i] > threshold: return i`. After the loop: `return -1`.",
        ),
        explanation=(
            "`i` comes from range, so it is int64, and so is the literal -1: one type, whichever return is "
            "reached. NaN needs no thought, since it is not greater than anything; `not values[i] <= threshold` "
            "would be another matter."
        ),
    ),
    Exercise(
        name="apply_gain",
        reference=apply_gain,
        spec=apply_gain_spec,
        examples=apply_gain_examples,
        inputs=apply_gain_inputs,
        requirements=(
            Compiled(),
            Matches(rtol=1e-6),
            Returns("float32", ndim=2),
            StaysFloat32(apply_gain_types),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "A Python float is float64, and float32 * float64 is computed in float64. Which of the two can "
            "change?",
            "`np.float32(gain)` is a float32. Do it once, before the loop.",
            "`out = np.empty_like(image)`, and in two loops `out[i, j] = image[i, j] * factor`; or one "
            "array expression: `image * np.float32(gain)`.",
        ),
        explanation=(
            "The gain is converted once, and from then on every product is of two float32: half the memory of "
            "float64, and twice as many in one instruction. `return image * np.float32(gain)` is as good."
        ),
    ),
    Exercise(
        name="safe_mean",
        reference=safe_mean,
        spec=safe_mean_spec,
        examples=safe_mean_examples,
        inputs=safe_mean_inputs,
        requirements=(
            Compiled(),
            CloseToMean(1e-12),
            Returns("float64", ndim=0),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "Where exactly does it wrap: in the values, in their sum, or in the division?",
            "The sum needs a type with more room. What type has total after `total = 0.0`?",
            "`total = 0.0`; in the loop `total += value`; at the end `return total / values.size`.",
        ),
        explanation=(
            "Two characters do it: 0.0 makes the total float64, which holds numbers up to 1e308, and each "
            "addition is right to 16 digits. With 0 it would be int64 and wrap around. `values.mean()` does "
            "the same inside; `values.sum() / values.size` wraps."
        ),
    ),
)

PREDICTIONS = (
    Prediction(
        name="total",
        question="total = 0, then pixels of type uint8 are added to it, and at last it is divided. What is its type?",
        choices=("uint8", "int64", "float64"),
        answer="int64",
        why={
            "uint8": (
                "In NumPy the sum of two elements of type uint8 is a uint8. But `0` is an int64 to Numba, and the sum "
                "of an int64 and a uint8 is an int64."
            ),
            "float64": (
                "The last line makes a float64. But a division makes a new value; it does not change the type of what "
                "it divides."
            ),
        },
    ),
    Prediction(
        name="branch",
        question="What becomes of never_taken(True, 3), whose other branch asks for an attribute that there is not?",
        choices=("4", "does not compile"),
        answer="does not compile",
        why={
            "4": (
                "Python would return it: it never comes to the other line. Numba reads the whole function before it "
                "runs any of it."
            ),
        },
    ),
    Prediction(
        name="fee",
        question="price is 1 for members and 2.5 for others. What does fee(True, 3), for a member, return?",
        choices=("3", "3.0", "7.5"),
        answer="3.0",
        why={
            "3": "In Python it is 3: there each value has its type. In compiled code each place has one.",
            "7.5": (
                "As if the last assignment counted. But the value comes from the way that was taken; only its type "
                "comes from both."
            ),
        },
    ),
    Prediction(
        name="overflow",
        question="The factorial of 21 does not fit into 64 bits. What does the compiled function give?",
        choices=("the right number", "an error", "a wrong number"),
        answer="a wrong number",
        why={
            "the right number": "Python's integers grow. Numba computes with those of the processor, of 64 bits.",
            "an error": (
                "It would be kind. But each multiplication would have to be tested, and C, NumPy's arrays and Numba do "
                "not do that."
            ),
        },
    ),
)
