"""Chapter 03, signatures: a function compiled for one signature only, and a wrapper that feeds one."""

import numpy as np
from numba import njit

from numba_course.exercises.arrays import BLOCKS, LARGE
from numba_course.exercises.predictions import Prediction
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.kernels import CallsKernel, KernelInBounds, OneSpecialisation
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.structure import Compiled, OneSignature, StaysCompiled

# One signature: compiled before the first call, and for nothing else. So here something does happen at import.


@njit("void(float64, float64[::1], float64[::1])")
def axpy(alpha, x, y):
    """Add `alpha` times `x` to `y`, in place."""
    for i in range(y.size):
        y[i] += alpha * x[i]


def axpy_spec(alpha, x, y):
    """The same, element by element, in plain Python."""
    with np.errstate(all="ignore"):
        for i in range(len(y)):
            y[i] = y[i] + alpha * x[i]


def axpy_examples():
    """No element; one; several; a factor of nought; values that are not finite, or no float32; many."""
    yield 2.0, np.array([]), np.array([])
    yield 0.5, np.array([3.0]), np.array([1.0])
    yield 2.0, np.array([1.0, 2.0, 3.0]), np.array([10.0, 20.0, 30.0])
    yield 0.0, np.array([1.0, np.inf]), np.array([2.0, 3.0])
    yield -1.5, np.array([np.nan, -np.inf, 1.0, 4.0]), np.array([1.0, 1.0, np.inf, np.nan])
    yield 0.1, np.array([0.1, 0.2, 0.7]), np.array([0.3, 0.6, 0.9])
    yield 0.25, np.arange(1000.0), np.ones(1000)
    yield 1.5, np.arange(float(BLOCKS)), np.arange(BLOCKS) % 7 / 4
    yield -0.5, np.arange(float(LARGE)), np.arange(LARGE) % 9 / 4


def axpy_inputs(st):
    """Numbers whose products and sums float64 holds exactly, so that no way to add them is better."""

    @st.composite
    def inputs(draw):
        n, quarter = draw(st.integers(0, 24)), st.integers(-4000, 4000).map(lambda k: k / 4)
        x, y = (np.array(draw(st.lists(quarter, min_size=n, max_size=n)), np.float64) for _ in "xy")
        return draw(quarter), x, y

    return inputs()


# A wrapper: whatever it is given, its kernel sees one type.


@njit
def add_rows(matrix):
    """The sum of each row of a float64 matrix."""
    sums = np.zeros(matrix.shape[0])
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[1]):
            sums[i] += matrix[i, j]
    return sums


def row_sums(matrix):
    """Return the sum of each row as float64."""
    return add_rows(np.require(matrix, np.float64, ["C_CONTIGUOUS", "WRITEABLE"]))


def row_sums_spec(matrix):
    """The same with Python's own sum."""
    return np.array([sum(float(value) for value in row) for row in matrix], np.float64)


def _read_only(matrix):
    matrix = matrix.copy(order="K")
    matrix.flags.writeable = False
    return matrix


def row_sums_examples():
    """No rows and no columns; one value; a list; each layout, read-only ones too; each dtype; many values,
    many rows, many columns.
    """
    quarters = np.arange(6.0).reshape(2, 3) / 4
    yield (np.zeros((0, 3)),)
    yield (np.zeros((3, 0)),)
    yield (np.array([[1.5]]),)
    yield ([[1.0, 2.0], [3.0, 4.0]],)
    yield ([[1, 2, 3]],)
    yield (quarters,)
    yield (np.asfortranarray(quarters),)
    yield (quarters[::-1, ::2],)
    yield (_read_only(quarters),)
    yield (_read_only(quarters.T),)
    yield (np.full((2, 3), 0.1, np.float32),)
    yield (np.array([[2**24, 1], [200, 100]], np.int64),)
    yield (np.full((2, 5), 200, np.uint8)[:, ::2],)
    yield (np.array([[True, True], [False, True]]),)
    yield (_read_only(quarters)[::-1, ::-2],)
    yield (np.sin(np.arange(2400.0)).reshape(40, 60),)
    yield (np.asfortranarray(np.arange(2100.0).reshape(300, 7) / 4),)
    yield (np.arange(15_000.0).reshape(3, 5000),)


def row_sums_inputs(st):
    """Small matrices of whole numbers, in any layout and dtype, and lists of lists."""
    layouts = (np.ascontiguousarray, np.asfortranarray, np.fliplr, _read_only, np.ndarray.tolist)

    @st.composite
    def inputs(draw):
        rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 4))
        values = draw(st.lists(st.integers(0, 200), min_size=rows * columns, max_size=rows * columns))
        dtype = draw(st.sampled_from([np.float64, np.float32, np.int64, np.int16, np.uint8]))
        return (draw(st.sampled_from(layouts))(np.array(values, dtype).reshape(rows, columns)),)

    return inputs()


SECONDS = 30.0  # for a step that compiles: an eager answer as it is loaded, a kernel as it meets a new type

EXERCISES = (
    Exercise(
        name="axpy",
        reference=axpy,
        spec=axpy_spec,
        examples=axpy_examples,
        inputs=axpy_inputs,
        seconds=SECONDS,
        requirements=(
            Compiled(),
            Matches(rtol=1e-12, of="y"),
            LeavesInputsAlone(except_=("y",)),
            InBounds(),
            InAnyOrder(),
            OneSignature(),
            StaysCompiled(),
        ),
        hints=(
            "A signature can be a text: first the type of what is returned, then, in brackets, those of the arguments.",
            "What returns nothing is void; a C-contiguous one-dimensional array of float64 is "
            "`float64[::1]`.",
            '`@njit("void(float64, float64[::1], float64[::1])")`, and in the loop `y[i] += alpha * x[i]`.',
        ),
        explanation=(
            "The signature says all three types, so the function is compiled where it is defined, and for no "
            "others: an int is converted, another array refused. [::1] promises that neighbours in the array "
            "are neighbours in memory, and the compiler can work on several at once. `y += alpha * x` is as right; it "
            "first makes an array for alpha * x."
        ),
    ),
    Exercise(
        name="row_sums",
        reference=row_sums,
        helpers=(add_rows,),
        spec=row_sums_spec,
        examples=row_sums_examples,
        inputs=row_sums_inputs,
        seconds=SECONDS,
        requirements=(
            CallsKernel(),
            Matches(rtol=1e-12),
            Returns("float64", ndim=1),
            LeavesInputsAlone(),
            OneSpecialisation(),  # first: of more than a few kernels, the other says no more than that they are many
            KernelInBounds(),
        ),
        hints=(
            "Which four things about an array are part of its type? Which of them can you make equal before the call?",
            "`np.ascontiguousarray(matrix, dtype=np.float64)` settles dtype and layout, and lists. What of "
            "a read-only matrix that is right already?",
            '`np.require(matrix, np.float64, ["C_CONTIGUOUS", "WRITEABLE"])` settles all of it. Or give the '
            "kernel a signature that promises not to write.",
            "`def row_sums(matrix): return add_rows(np.require(...))`, and add_rows, under `@njit`, is two "
            "loops over a float64 matrix.",
        ),
        explanation=(
            "np.require copies only what is not as asked, so the usual matrix goes straight to the kernel, "
            "and all others arrive as the one type that it was compiled for. A read-only matrix is copied, "
            'too; a kernel with the signature `float64[::1](types.Array(float64, 2, "C", readonly=True))` '
            "takes both without a copy."
        ),
    ),
)

PREDICTIONS = (
    Prediction(
        name="seven_calls",
        question="Seven arrays are passed to one function without a signature. How often does Numba compile?",
        choices=(1, 3, 5),
        answer=5,
        why={
            1: "The first call compiles, as most texts say. But it compiles for its own types, and for no others.",
            3: (
                "There are three dtypes. But an array's type has more parts: two arrays of float64 may differ in their "
                "layout, or in whether they are read-only."
            ),
        },
    ),
    Prediction(
        name="float32_array",
        question="A function has the signature float64(float64[:]). What becomes of a float32 array?",
        choices=("compiled again", "converted", "refused"),
        answer="refused",
        why={
            "compiled again": "Without a signature it would be. With one, Numba compiles for its types and stops.",
            "converted": (
                "A single float32 number would be, and NumPy's own functions convert arrays. Numba would have to copy "
                "the whole array at each call, and @njit does not do that."
            ),
        },
    ),
    Prediction(
        name="cast_number",
        question="A function with the signature int64(int64) returns its argument. What does it return for 2.7?",
        choices=("2", "3", "an error"),
        answer="2",
        why={
            "3": "That would be rounding. A conversion to a whole number cuts off, as int(2.7) does in Python.",
            "an error": "An array of the wrong type is an error. A float counts as a number that can be converted.",
        },
    ),
    Prediction(
        name="any_layout",
        question="A product of two arrays without gaps, added up in order: how many times as fast is [::1] as [:]?",
        choices=(1, 3, 10),
        answer=1,
        why={
            3: (
                "A loop that knows more of its arrays can be made faster. But this one has to add one product after "
                "the other, whatever it knows."
            ),
            10: "It sounds like much less work. But both loops do the same additions, in the same order.",
        },
    ),
    Prediction(
        name="long_list",
        question="How many times as long does it take to pass a list of 1000 numbers as to pass an array of them?",
        choices=(1, 50, 5000),
        answer=5000,
        why={
            1: (
                "Python passes a reference to any object, however large it is. But compiled code cannot use a list of "
                "Python's objects as it is."
            ),
            50: (
                "A list has to be unpacked, object by object, and that is slow. But no element of an array is looked "
                "at, so the difference grows with the length."
            ),
        },
    ),
)
