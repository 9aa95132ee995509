"""Chapter 06, errors and debugging: messages to decode, functions to repair, and what is said before it is shown."""

import functools
import linecache
import re

import numpy as np
from numba import njit

from numba_course.exercises.arrays import BLOCKS, LARGE, MANY, layouts
from numba_course.exercises.predictions import Prediction
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.results import (
    LeavesInputsAlone,
    LeavesWordsAlone,
    Matches,
    NewArray,
    Returns,
)
from numba_course.exercises.requirements.structure import Compiled, StaysCompiled
from numba_course.lens import complaints

# A message that is read. All of them are made by the Numba that is installed, when the check asks for them.

FILE, LIBRARY = "yours.py", "theirs.py"  # in which the functions of the messages are, and one that they call
THEIRS = """
@njit
def spread(values):
    return values.peak() - values.min()
"""
ATTRIBUTE = """
@njit
def f(x):
    return x.median()

f({argument})
"""
CALLEE = """
@njit
def inner(x):
    y = x{within}
    return y.{name}()


@njit
def f(x):
    z = x
    return inner(z)

f({argument})
"""
SHORT = (
    ATTRIBUTE.format(argument="np.ones(3)"),
    ATTRIBUTE.format(argument="2"),
    """
@njit
def f(x):
    return x + "a"

f(2.0)
""",
    CALLEE.format(within="", name="absolute", argument="2.5"),
    """
@njit
def add(a, b):
    return a + b


@njit
def f(x):
    y = x
    return add(y, (1, 2))

f(2.0)
""",
    """
@njit
def f(values):
    if values.size > 1:
        values = values - values.mean()
    return values

f(np.array([1, 2, 6]))
""",
    """
@njit
def f(x):
    return np.mean(x, axis=0)

f(np.ones((2, 3)))
""",
    """
@njit
def f(words):
    return np.array(words).size

f(["to", "be"])
""",
    """
@njit
def f(values):
    total = 0
    return totl

f(np.ones(3))
""",
    """
@njit
def f(values):
    largest = values.max()
    return sum(v / largest for v in values)

f(np.ones(3))
""",
    """
@njit
def f(x):
    return 1 / x

f(0)
""",
    """
@njit
def f(x):
    return [1, 2][x]

f(5)
""",
    """
@njit
def f(x):
    if x < 0:
        raise ValueError("types of x: it must not be negative")

f(-1)
""",
    """
@njit
def f(values):
    largest = values.max()
    return spread(values) / largest

f(np.ones(3))
""",
    """
@njit
def f(x):
    return inner(x)


@njit
def inner(x):
    return x.absolute()

f(2.5)
""",
    """
@njit
def f(values):
    return np.pad(values, 1)

f(np.ones(3))
""",
)


@functools.cache
def message_of(text):
    """What a notebook shows of the error that a program raises, without the traceback."""
    texts = {LIBRARY: THEIRS, FILE: text}
    for name, known in texts.items():  # where Numba looks up the lines that it quotes
        linecache.cache[name] = (len(known), None, known.splitlines(keepends=True), name)
    names = {"np": np, "njit": njit}
    try:
        for name, known in texts.items():
            exec(compile(known, name, "exec"), names)
    except Exception as error:
        return f"{type(error).__name__}: {complaints.message(error)}"
    finally:
        for name in texts:
            linecache.cache.pop(name)
    raise AssertionError(f"nothing was raised by {text}")


def decode_message(message):
    """Return who complains, in which line of yours.py, and of what."""
    kind, _, text = message.partition(": ")
    who = {"TypingError": "types", "UnsupportedError": "reading"}.get(kind, "run")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    places = [line for line in lines if line.startswith('File "yours.py", line ')]
    calls = [line[4:] for line in lines if line.startswith(">>> ")]
    reasons = [line for line in lines if not line.startswith("Failed in ")]
    line = int(places[0].split()[-1].rstrip(":")) if places else 0
    return who, line, (calls + reasons)[0]


def decode_message_spec(message):
    """The same with patterns."""
    who = "types" if re.match("TypingError", message) else "run"
    who = "reading" if re.match("UnsupportedError", message) else who
    line = re.search(r'File "yours\.py", line (\d+)', message)
    text = re.sub(r"\A\w+: (Failed in .*\n)*", "", message)
    call = re.search(r"^ *>>> (.*)$", text, re.MULTILINE)
    return who, int(line[1]) if line else 0, (call[1] if call else text.splitlines()[0]).strip()


def decode_message_examples():
    """Types: the function called, callees above and below, Numba's, no line, a library; bytecode; three of the run."""
    for text in SHORT:
        yield (message_of(text),)
    for above in (1, 4, 30):
        yield (message_of("# \n" * above + CALLEE.format(within=" + 1", name="rise", argument="3")),)


def shown_message(message):
    """The message, as it is read."""
    return f"message =\n{message}"


# Unification: two branches, and one type of the result.


@njit
def repair_unification(flag, values):
    """Return a new float64 array: the deviations from the mean if `flag`, else the values."""
    result = values.astype(np.float64)
    if flag:
        result -= values.mean()
    return result


def repair_unification_spec(flag, values):
    """The deviations or the values, as NumPy finds them."""
    return values - values.mean() if flag else values.astype(np.float64)


def repair_unification_examples():
    """Both flags with whole numbers and with floats: one, several, all equal; a NaN; every second one; many."""
    for flag in (True, False):
        for dtype in (np.int64, np.float64):
            for few in ([7], [1, 2, 6], [-4, 4], [5, 5, 5, 5]):
                yield flag, np.array(few, dtype)
        yield flag, np.array([0.5, np.nan, 2.0])
        yield flag, np.arange(8.0)[::2]
        yield flag, np.arange(MANY)
        for values in layouts(np.arange(MANY) / 4):
            yield flag, values


def repair_unification_inputs(st):
    """Either flag; a few moderate values whose sum is exact."""
    whole = st.arrays(np.int64, st.integers(1, 24), elements=st.integers(-1000, 1000))
    return st.tuples(st.booleans(), whole | whole.map(lambda values: values / 4))


# A language that Numba does not speak whole.


@njit
def repair_unsupported(words):
    """Return how many of `words` are as long as the longest."""
    longest, count = 0, 0
    for word in words:
        if len(word) > longest:
            longest, count = len(word), 1
        elif len(word) == longest:
            count += 1
    return count


def repair_unsupported_spec(words):
    """The same in one line of Python."""
    return sum(len(word) == len(max(words, key=len)) for word in words)


def repair_unsupported_examples():
    """One word, an empty one; the longest first, last, several times; letters of any script; long ones; many."""
    for text in ("be", "to be", "be to all", "question to be", "to question be", "to be or not"):
        yield (text.split(),)
    yield ([""],)
    yield (["", "", ""],)
    yield (["größte", "größer", "groß", "naïve"],)
    yield (["λέξη", "слово", "🙂🙂🙂🙂🙂", "word"],)
    yield ([letter * length for length in range(9) for letter in "ab"],)
    yield (["a" * 17, "b" * 300, "c" * 70, "d" * 300],)
    yield (["x" * (i % 40) for i in range(1000)],)


def repair_unsupported_inputs(st):
    """Up to eight short words, many of one length."""
    return st.tuples(st.lists(st.text("abé", max_size=4), min_size=1, max_size=20))


# Bounds: a right answer that looks where it must not.


@njit
def repair_bounds(values):
    """Return how many values come before the first fall."""
    count = 1
    while count < values.size and values[count] >= values[count - 1]:
        count += 1
    return count


def repair_bounds_spec(values):
    """The same with the places of all falls: of a NaN, nothing is larger or equal."""
    falls = np.flatnonzero(~(values[1:] >= values[:-1]))
    return int(falls[0]) + 1 if falls.size else values.size


def repair_bounds_examples():
    """One value; two; a fall at once, late, at the very end, never; a NaN; equal ones; every second; many."""
    for few in (
        [3.0],
        [1.0, 2.0],
        [2.0, 1.0],
        [1.0, 1.0],
        [1.0, 2.0, 3.0],
        [1.0, 2.0, 0.0],
        [3.0, 1.0, 2.0, 5.0],
    ):
        yield (np.array(few),)
    yield (np.array([1.0, 2.0, 1.5, 3.0, 2.0, 4.0]),)
    yield (np.array([np.nan, 1.0]),)
    yield (np.array([0.0, np.nan, 1.0]),)
    yield (np.array([-np.inf, 0.0, np.inf, np.inf]),)
    yield (np.arange(10.0)[::2],)
    yield (np.arange(1000.0),)
    yield (np.append(np.arange(60_000.0), [0.0] * 9),)
    yield (np.arange(float(BLOCKS)),)
    for values in layouts(np.arange(LARGE) // 3 * 1.0):
        yield (values,)


def repair_bounds_inputs(st):
    """A rise, and then anything, NaN included."""
    numbers = st.lists(st.floats(width=16), min_size=1, max_size=12)
    rising = numbers.map(sorted)
    return st.tuples(st.builds(lambda first, rest: np.array(first + rest), rising, numbers | st.just([])))


EXERCISES = (
    Exercise(
        name="repair_unsupported",
        reference=repair_unsupported,
        spec=repair_unsupported_spec,
        examples=repair_unsupported_examples,
        inputs=repair_unsupported_inputs,
        requirements=(
            Compiled(),
            Matches(),
            Returns("int64", ndim=0),
            LeavesWordsAlone(),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "The compiler stops at the first thing it cannot do. Mend one, compile, and read the next message.",
            "Square brackets make a list of what the generator expression would give one by one.",
            "Of `lengths = [len(word) for word in words]` the largest is `max(lengths)`; then count in a "
            "loop.",
        ),
        explanation=(
            "Numba knows neither generator expressions, which are small functions that stop and go on, nor "
            "the `key=` of max; it knows plain loops. One goes over the words once, and starts to count "
            "anew at each longer one. With a list of the lengths it is shorter: "
            "`lengths.count(max(lengths))`."
        ),
    ),
    Exercise(
        name="repair_unification",
        reference=repair_unification,
        spec=repair_unification_spec,
        examples=repair_unification_examples,
        inputs=repair_unification_inputs,
        requirements=(
            Compiled(),
            Matches(rtol=1e-9),
            Returns("float64", ndim=1),
            NewArray(),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "Of which type is `values` in each branch, and of which type is `values - values.mean()`?",
            "Give the result its one type before the branch: a float64 array, of whatever `values` is.",
            "`result = values.astype(np.float64)` is a new array; in the branch, take the mean off it.",
        ),
        explanation=(
            "Each assignment has a type of its own; but where the two ways meet, one type must hold what comes from "
            "either, and an array of whole numbers is not converted to one of floats on the way. astype makes the "
            "float64 array before the branch, and always a new one, so that no caller finds two names for the same "
            "memory."
        ),
    ),
    Exercise(
        name="decode_message",
        reference=decode_message,
        spec=decode_message_spec,
        examples=decode_message_examples,
        shown=shown_message,
        requirements=(Matches(),),
        hints=(
            "Begin with `print(message)` for two messages, and put your finger on the three parts that are asked for.",
            "The kind of error is what stands before the first colon: `message.partition(': ')`. Of the five kinds "
            "here, two come from the compiler.",
            "Of `message.splitlines()`, look for the first line that begins, after its spaces, with "
            '`File "yours.py"`. Other files are not yours.',
            "The reason is the first line with `>>> `; without one, the first line that does not begin with "
            "`Failed in`.",
        ),
        explanation=(
            "The innermost place stands first, so the first line of your own file is the one to look at; places in "
            "other files may stand above it. The reason stands above all places, below the lines that only say "
            "where the compiler was. `lens.complaints.complaints` finds the same in the error of a call."
        ),
    ),
    Exercise(
        name="repair_bounds",
        reference=repair_bounds,
        spec=repair_bounds_spec,
        examples=repair_bounds_examples,
        inputs=repair_bounds_inputs,
        requirements=(
            Compiled(),
            Matches(),
            Returns("int64", ndim=0),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            StaysCompiled(),
        ),
        hints=(
            "Compile the broken function with boundscheck=True: for which inputs does it raise?",
            "`and` goes from left to right, and stops at the first that is false. Which one must come first?",
            "`while count < values.size and ...:` first ask whether there is such a value, then look at it.",
        ),
        explanation=(
            "Both conditions were there, in the wrong order: it looked at the value, and asked afterwards "
            "whether there is one. The answer to the second ended the loop in any case, so no result was wrong, "
            "as long as there was memory behind the array."
        ),
    ),
)

PREDICTIONS = (
    Prediction(
        name="hints",
        question="A function whose type hints say int, twice, returns its argument. What does it return for 2.5?",
        choices=("2", "2.5", "an error"),
        answer="2.5",
        why={
            "2": (
                "In C, what is declared an int is made one. The hints of a function declare nothing in Python, nor in "
                "Numba."
            ),
            "an error": (
                "A type checker would complain. But Python does not look at annotations when it calls a function, and "
                "Numba takes the types of the arguments that it is given."
            ),
        },
    ),
    Prediction(
        name="who",
        question="np.array([[1, 2], [x]]), in the very first call of a function, raises a ValueError. Who complains?",
        choices=("types", "machine code", "run"),
        answer="run",
        why={
            "types": (
                "The rows have different lengths. But the length of a list is no part of its type: both rows are lists "
                "of int64."
            ),
            "machine code": (
                "The first call compiles the function, so an error there looks like the compiler's. But the same call "
                "goes on to run what was compiled."
            ),
        },
    ),
    Prediction(
        name="leak",
        question="A call fails 100 times, and each error is caught. How many references to its array are left over?",
        choices=(0, 1, 100),
        answer=100,
        why={
            0: (
                "It is so in Python. Compiled code counts references, too, but does not always give them back when an "
                "error ends a function."
            ),
            1: "As if the last error held on to the array. Then the count would not grow with each call.",
        },
    ),
    Prediction(
        name="callee",
        question="A function with boundscheck=True calls one without, in which an index is wrong. What comes of it?",
        choices=("an error", "a number"),
        answer="a number",
        why={
            "an error": (
                "The function that you call checks its own indices. A compiled function that it calls keeps its own "
                "options."
            ),
        },
    ),
    Prediction(
        name="interrupt",
        question="A compiled loop never ends. What does an interrupt, by ■ or Ctrl-C, do to it?",
        choices=("stops it", "nothing"),
        answer="nothing",
        why={
            "stops it": (
                "It stops a loop of Python, for Python looks for interrupts between its instructions. Machine code "
                "looks only if somebody has written that into it."
            ),
        },
    ),
)
