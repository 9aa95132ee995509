"""Chapter 04, machine code: a sum, a division and a count that work on several elements at once."""

import numpy as np
from numba import njit

from numba_course.exercises.arrays import BLOCKS, LARGE
from numba_course.exercises.predictions import Prediction
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.machine_code import ComparesPacked, KeepsNaN, Vectorised
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.structure import Compiled, StaysCompiled

# A sum: packed as soon as its order is free, and honest about NaN.


@njit(fastmath={"reassoc"})
def vector_sum(values):
    """Return the sum of `values`, added in any order."""
    total = 0.0
    for i in range(values.size):
        total += values[i]
    return total


def vector_sum_spec(values):
    """The sum in order, in plain Python."""
    with np.errstate(all="ignore"):
        return float(sum(values.tolist()))


def vector_sum_examples():
    """No value; one; few; more than any vector holds; NaN and infinities, alone and together; fractions; many."""
    yield (np.array([]),)
    yield (np.array([1.5]),)
    yield (np.array([1.0, 2.0, 4.0]),)
    yield (np.arange(100.0),)
    for odd in ([np.nan], [np.inf], [-np.inf], [np.inf, -np.inf]):
        yield (np.array([1.0, *odd]),)
        yield (np.concatenate([np.arange(70.0), odd, np.ones(5)]),)
    yield (1 / np.arange(1.0, 1001.0),)
    yield (np.arange(float(BLOCKS)),)
    yield (np.arange(float(LARGE)),)
    yield (np.append(np.ones(LARGE), np.nan),)


def vector_sum_inputs(st):
    """Numbers whose sums float64 holds exactly in any order, now and then one that is not finite."""
    value = st.integers(-4000, 4000).map(lambda k: k / 4) | st.sampled_from([np.nan, np.inf, -np.inf])
    return st.tuples(st.lists(value, max_size=40).map(lambda values: np.array(values, np.float64)))


def vector_sum_calls():
    """A row far longer than what anybody adds at a time, and no multiple of it."""
    yield (np.arange(100_003.0),)


# A division: IEEE's answer for a zero divisor, and so no early exit in the loop.


@njit(error_model="numpy")
def divide_rows(matrix, divisors, out):
    """Fill `out` with each row of `matrix` divided by its own divisor."""
    rows, columns = matrix.shape
    for i in range(rows):
        for j in range(columns):
            out[i, j] = matrix[i, j] / divisors[i]


def divide_rows_spec(matrix, divisors, out):
    """The same with NumPy, which divides as IEEE 754 says."""
    with np.errstate(all="ignore"):
        out[:] = matrix / divisors[:, np.newaxis]


def divide_rows_examples():
    """Nothing; one; rows unlike columns; zeros; what is not finite; quotients that must be rounded; many."""
    for shape in [(0, 3), (2, 0), (1, 1), (2, 3)]:
        yield _filled(1.0 + np.arange(np.prod(shape)).reshape(shape), np.arange(1.0, shape[0] + 1))
    yield _filled(np.array([[1.0, -1.0, 0.0, np.nan, np.inf]] * 2), np.array([0.0, -0.0]))
    yield _filled(np.array([[1.0, np.inf, np.nan]] * 2), np.array([np.inf, np.nan]))
    yield _filled(np.arange(1.0, 161.0).reshape(4, 40), np.array([3.0, 10.0, 49.0, -0.1]))
    for rows, columns in [(300, 7), (3, 5000), (2, BLOCKS)]:
        yield _filled(np.arange(1.0, rows * columns + 1).reshape(rows, columns), np.arange(3.0, rows + 3))


def _filled(matrix, divisors):
    return matrix, divisors, np.full(matrix.shape, 7.0)


def divide_rows_inputs(st):
    """Small matrices of whole numbers; divisors that leave a remainder, and zero."""

    @st.composite
    def inputs(draw):
        shape = draw(st.integers(1, 4)), draw(st.integers(1, 6))
        number = st.integers(-50, 50).map(float)
        return _filled(
            draw(st.arrays(np.float64, shape, elements=number)),
            draw(st.arrays(np.float64, shape[0], elements=number)),
        )

    return inputs()


def divide_rows_calls():
    """Four rows far longer than what anybody divides at a time, and no multiple of it."""
    yield _filled(np.arange(40_012.0).reshape(4, -1), np.array([3.0, 1.0, 7.0, 2.0]))


# A count: whole numbers may be added in any order, so nothing stands in the way.


@njit
def count_above(values, threshold):
    """Return how many of `values` are larger than `threshold`."""
    count = 0
    for i in range(values.size):
        if values[i] > threshold:
            count += 1
    return count


def count_above_spec(values, threshold):
    """The same in plain Python."""
    return sum(1 for value in values.tolist() if value > threshold)


def count_above_examples():
    """No value; one, on each side of the threshold and on it; NaN and infinities; more than a byte can count."""
    yield np.array([]), 0.0
    for value in (1.0, 0.0, -1.0):
        yield np.array([value]), 0.0
    yield np.array([3.0, 1.0, 4.0, 1.0, 5.0]), 2.0
    yield np.array([np.nan, np.inf, -np.inf, 1.0]), 0.0
    yield np.array([np.nan, np.inf, -np.inf, 1.0]), np.nan
    yield np.array([np.inf, 1.0]), np.inf
    yield np.arange(1000.0), 99.5
    yield np.arange(float(BLOCKS)), 1.0
    yield np.arange(70000.0), 1.0


def count_above_inputs(st):
    """Few different values, so that many are equal to the threshold."""
    value = st.integers(-3, 3).map(float) | st.sampled_from([np.nan, np.inf, -np.inf])
    return st.tuples(st.lists(value, max_size=40).map(lambda values: np.array(values, np.float64)), value)


def count_above_calls():
    """A row far longer than what anybody compares at a time, and no multiple of it."""
    yield np.arange(100_003.0), 20_000.0


EXERCISES = (
    Exercise(
        name="vector_sum",
        reference=vector_sum,
        spec=vector_sum_spec,
        examples=vector_sum_examples,
        inputs=vector_sum_inputs,
        requirements=(
            Compiled(),
            Matches(rtol=1e-12),
            Returns("float64", ndim=0),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            Vectorised(vector_sum_calls, ("fadd", "fsub"), "additions"),
            KeepsNaN(vector_sum_calls),
            StaysCompiled(),
        ),
        hints=(
            "Why did LLVM not pack the sum? Which of the seven flags takes away that reason, and no other?",
            'fastmath takes a set of flags: `@njit(fastmath={"..."})`.',
            'The plain loop, `for i in range(values.size)`, under `@njit(fastmath={"reassoc"})`.',
        ),
        explanation=(
            "reassoc says that the additions may be done in any order, which is all that packing a sum needs: each "
            "lane of a register adds up every fourth value, say, and the lanes are added at the end. Nothing is said "
            "about NaN, so it comes out. The last digits may differ from those of the sum in order."
        ),
    ),
    Exercise(
        name="divide_rows",
        reference=divide_rows,
        spec=divide_rows_spec,
        examples=divide_rows_examples,
        inputs=divide_rows_inputs,
        requirements=(
            Compiled(),
            Matches(of="out"),
            LeavesInputsAlone(except_=("out",)),
            InBounds(),
            InAnyOrder(),
            Vectorised(divide_rows_calls, ("fdiv",), "divisions"),
            StaysCompiled(),
        ),
        hints=(
            "What does plain `@njit` do where a divisor is zero, and what must it do here?",
            'An option of `@njit` makes division follow NumPy: `error_model="numpy"`.',
            "Two nested loops; in the inner one `out[i, j] = matrix[i, j] / divisors[i]`. No reciprocals.",
        ),
        explanation=(
            'With `error_model="numpy"` a zero divisor gives an infinity or NaN, as IEEE 754 says, and the '
            "loop has no early exit that would keep it from being packed. `x * (1 / d)` rounds twice, and "
            "so differs from `x / d` in the last digit of many quotients."
        ),
    ),
    Exercise(
        name="count_above",
        reference=count_above,
        spec=count_above_spec,
        examples=count_above_examples,
        inputs=count_above_inputs,
        requirements=(
            Compiled(),
            Matches(),
            Returns("int64", ndim=0),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            ComparesPacked(count_above_calls),
            StaysCompiled(),
        ),
        hints=(
            "Is there anything in the plain loop that must happen in order?",
            "A loop over an index, an if, a whole number that goes up by one. Look at `lens.machine_code` "
            "of it.",
            "`for i in range(values.size): if values[i] > threshold: count += 1`",
        ),
        explanation=(
            "Nothing special has to be done. Whole numbers may be added in any order, and the if leaves no jump: "
            "a comparison of packed floats gives ones and zeros, and these are added. An early exit or a list would "
            "prevent it, and so would a count in float64, unless its additions may be reordered."
        ),
    ),
)

PREDICTIONS = (
    Prediction(
        name="one_word",
        question="How many times as fast is the sum whose additions may be done in any order?",
        choices=(1, 1.2, 5),
        answer=5,
        why={
            1: "There are as many numbers to add. But one instruction can add several of them.",
            1.2: (
                "Compiled code is fast, so little seems to be left. But a sum in order adds one number at a time, and "
                "each addition has to wait for the one before."
            ),
        },
    ),
    Prediction(
        name="same_sum",
        question="Is the sum of 1, 1/2, 1/3 and so on the same to the last digit if it is added in four lanes?",
        choices=(True, False),
        answer=False,
        why={
            True: "So it is with the numbers of mathematics. A float is rounded after each addition.",
        },
    ),
    Prediction(
        name="blind",
        question="With which of these permissions does compiled code take NaN for a number?",
        choices=("nnan", "contract", "reassoc"),
        answer="nnan",
        why={
            "contract": "It does change results: a product is not rounded. But it says nothing about NaN.",
            "reassoc": (
                "Many texts warn of fastmath=True, and it is this flag that makes a sum fast. But an order says "
                "nothing about which values there are."
            ),
        },
    ),
    Prediction(
        name="written",
        question="A loop over 1000 elements raises at number 600. How many results have been written by then?",
        choices=(0, 600, 1000),
        answer=600,
        why={
            0: "As if the function undid its work when it raises. It does not: what is written stays written.",
            1000: (
                "NumPy's division of whole arrays goes on, and puts an infinity there. A compiled loop follows Python, "
                "and stops."
            ),
        },
    ),
)
