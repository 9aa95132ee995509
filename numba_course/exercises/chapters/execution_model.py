"""Chapter 01, execution model: a first kernel, a loop that NumPy cannot write, a clock that is right; predictions."""

import time

import numpy as np
from numba import njit

from numba_course.exercises.arrays import BLOCKS, LARGE, layouts
from numba_course.exercises.predictions import Prediction
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.clocks import ReturnsSeconds, TimesASteadyCall, timed, timed_function
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.structure import Compiled, StaysCompiled

# A first kernel.


@njit
def sum_of_squares(values):
    """Return the sum of the squares of `values`."""
    total = 0.0
    for value in values:
        total += value * value
    return total


def sum_of_squares_spec(values):
    """The same in plain Python floats."""
    return sum((value * value for value in values.tolist()), 0.0)


def sum_of_squares_examples():
    """No value, one, several; not finite; too large to be squared; with gaps in memory; many."""
    for few in ([], [3.0], [1.0, 2.0, 3.0], [-0.5, 0.25], [1.0, np.nan], [np.inf, -np.inf], [1e200, 1.0]):
        yield (np.array(few),)
    yield (np.arange(9.0)[1::2],)
    yield (np.sin(np.arange(1000.0)),)
    yield (np.arange(BLOCKS) % 19 / 4,)
    for values in layouts(np.arange(LARGE) % 17 / 4):  # whose squares any order adds up exactly
        yield (values,)


def sum_of_squares_inputs(st):
    """Short arrays of moderate values."""
    return st.tuples(st.arrays(np.float64, st.integers(0, 24), elements=st.floats(-1e6, 1e6)))


# A loop that no array expression can replace: how long it runs depends on each value.


@njit
def chain_length(start):
    """Return how many numbers the Collatz chain from `start` down to 1 has."""
    number, length = start, 1
    while number != 1:
        number = 3 * number + 1 if number % 2 else number // 2
        length += 1
    return length


@njit
def collatz_longest(limit):
    """Return the smallest start in 1 … limit - 1 with the longest Collatz chain."""
    best, longest = 1, 1
    for start in range(2, limit):
        length = chain_length(start)
        if length > longest:
            best, longest = start, length
    return best


def collatz_longest_spec(limit):
    """From a list of all lengths; each chain is followed only until it falls below its start."""
    lengths = [0, 1]
    for start in range(2, limit):
        number, steps = start, 0
        while number >= start:
            number = 3 * number + 1 if number % 2 else number // 2
            steps += 1
        lengths.append(steps + lengths[number])
    return max(range(1, limit), key=lengths.__getitem__)


def collatz_longest_examples():
    """One start; two; a tie of 18 and 19; the limit itself would win; the longest leaves 32 bits."""
    for limit in (2, 3, 4, 10, 20, 27, 28, 1000, 120_000, 650_000):
        yield (limit,)


def collatz_longest_inputs(st):
    """Small limits."""
    return st.tuples(st.integers(2, 400))


# A clock that is right. The answer is tried with a clock that moves only as we say.


def honest_timing(function, *args):
    """Return the seconds that a steady call ``function(*args)`` takes."""
    function(*args)  # the compiler works here
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        function(*args)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def honest_timing_spec(compiled, seconds, args):
    """What a call of our function takes that has these arguments; `timed` says so to the clocks."""
    return seconds


def honest_timing_examples():
    """A function that nobody compiles; two that Numba compiles, for different types; about 1.0 and 0.7 ms."""
    yield False, 2**20 / 1e9, (-1.5,)
    yield True, 2**20 / 1e9, (np.arange(3.0),)
    yield True, 5 * 2**17 / 1e9, (2, 0.5)


EXERCISES = (
    Exercise(
        name="sum_of_squares",
        reference=sum_of_squares,
        spec=sum_of_squares_spec,
        examples=sum_of_squares_examples,
        inputs=sum_of_squares_inputs,
        requirements=(
            Compiled(),
            Matches(rtol=1e-12),
            Returns("float64", ndim=0),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "Write it as you would in plain Python: a total, and a loop that adds to it.",
            "Numba can go through an array: `for value in values`. Start with `total = 0.0`.",
            "In the loop, `total += value * value`; after it, `return total`.",
        ),
        explanation=(
            "Nothing here is special to Numba, and that is the point: the loop that Python runs slowly is the "
            "one that the compiler wants. `return (values * values).sum()` is as right, but makes an array as "
            "long as `values` first."
        ),
    ),
    Exercise(
        name="collatz_longest",
        reference=collatz_longest,
        helpers=(chain_length,),
        spec=collatz_longest_spec,
        examples=collatz_longest_examples,
        inputs=collatz_longest_inputs,
        requirements=(
            Compiled(),
            Matches(),
            Returns("int64", ndim=0),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "Two questions: how long is the chain of one start, and which start has the longest?",
            "Write a function `chain_length(start)` with `@njit`, and call it from collatz_longest: "
            "compiled functions may call each other.",
            "Go through `range(2, limit)` and keep the best start and its length. Replace them only where a "
            "chain is strictly longer: then the smallest start stays.",
        ),
        explanation=(
            "How long a chain is shows only when it ends, so there is no array to compute at once: the loop is the "
            "natural program. The call of `chain_length` costs nothing, for it is compiled into the loop. The strict "
            "> keeps the smallest of several starts that are equally good."
        ),
    ),
    Exercise(
        name="honest_timing",
        reference=honest_timing,
        spec=honest_timing_spec,
        examples=honest_timing_examples,
        requirements=(ReturnsSeconds(), TimesASteadyCall()),
        call=timed,
        shown=timed_function,
        seconds=30.0,  # our function is compiled meanwhile, maybe on a busy machine
        hints=(
            "What does the first call do that no later one does?",
            "Call `function(*args)` once before you look at the clock: with the same arguments, for their "
            "types decide what is compiled.",
            "`start = time.perf_counter()`, then the call, then `time.perf_counter() - start`. Do so a few "
            "times, and return the smallest.",
        ),
        explanation=(
            "The first call compiles and is thrown away. Of the others the smallest is returned: whatever "
            "else the machine does can only add to a time. For calls much shorter than a microsecond, time "
            "many of them at once and divide, as `timeit` does."
        ),
    ),
)

PREDICTIONS = (
    Prediction(
        name="by_name",
        question=(
            "A loop runs in a function, and the same text at module level, where its variables are looked up by name. "
            "How many times as long does it take there?"
        ),
        choices=(1, 2, 10),
        answer=2,
        why={
            1: "The text is the same. But Python makes other instructions of it: at module level a variable is a name.",
            10: (
                "A search in a dictionary sounds slow. But the place of a name follows from its hash value, and a name "
                "keeps that value once it is computed."
            ),
        },
    ),
    Prediction(
        name="compilations",
        question=(
            "A compiled function is called with an array, with the same array again, and with its values as float32. "
            "How often does the compiler run?"
        ),
        choices=(1, 2, 3),
        answer=2,
        why={
            1: "As if the machine code fitted all arrays. But an instruction for float64 does not work on float32.",
            3: "As if each call compiled. Numba keeps the machine code, and finds it by the types of the arguments.",
        },
    ),
    Prediction(
        name="step",
        question=(
            "A loop stays in Python, and only the addition in it is compiled. How many times as fast as plain Python "
            "is that?"
        ),
        choices=(0.25, 1, 4),
        answer=0.25,
        why={
            1: "As if a call were free. At each call, the argument is checked and unboxed, and the result boxed again.",
            4: "The addition alone may be faster. But the call of a compiled function is more work than an addition.",
        },
    ),
    Prediction(
        name="billion",
        question=(
            "A compiled loop adds up the first n odd numbers. How many times as long does it take for a billion as for "
            "a thousand?"
        ),
        choices=(1, 1000, 1_000_000),
        answer=1,
        why={
            1000: "A careful answer between the two. But no iteration gets a thousand times faster in a longer loop.",
            1_000_000: (
                "A million times as many iterations take about a million times as long, if they are done. Nobody "
                "promises that: a compiler keeps the result, not the way to it."
            ),
        },
    ),
    Prediction(
        name="first_call",
        question="How many times as long as its third call does the first call of a compiled function take?",
        choices=(2, 50, 10_000),
        answer=10_000,
        why={
            2: "Many programs are a little slower at first. But here a whole compiler runs before the function does.",
            50: "Compiling takes only a moment. But beside a call of a microsecond, a tenth of a second is very long.",
        },
    ),
)
