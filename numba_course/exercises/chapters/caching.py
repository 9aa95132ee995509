"""Chapter 09, caching: a module that is compiled once, an edit that always shows, a factory that remembers."""

import functools
import importlib
import itertools
import math

import numpy as np
from numba import njit

from numba_course.exercises.examination.modules import Modules
from numba_course.exercises.question import Exercise
from numba_course.exercises.requirements.accesses import InAnyOrder, InBounds
from numba_course.exercises.requirements.calls import RunsEverywhere
from numba_course.exercises.requirements.factories import (
    CompilesOnce,
    Independent,
    MakesCompiled,
    SameFloatSameFunction,
    Scales,
    arguments,
    made_and_used,
)
from numba_course.exercises.requirements.processes import EditsShow, SecondProcessCompilesNothing
from numba_course.exercises.requirements.results import LeavesInputsAlone, Matches, Returns
from numba_course.exercises.requirements.structure import Compiled, StaysCompiled

# A polynomial in a module of its own.


def cached_polynomial():
    """Return the text of a module whose function `polynomial(x, coefficients)` is compiled once and for all."""
    return '''"""Polynomials."""

import numpy as np
from numba import njit


@njit(cache=True)
def polynomial(x, coefficients):
    """Return c[0] + c[1] x + c[2] x² + … for each x."""
    result = np.zeros(x.size)
    for i in range(x.size):
        for k in range(coefficients.size):
            result[i] = result[i] * x[i] + coefficients[coefficients.size - 1 - k]
    return result
'''


def polynomial_spec(x, coefficients):
    """Power by power."""
    return np.array([sum((c * value**k for k, c in enumerate(coefficients)), 0.0) for value in x], np.float64)


def polynomial_examples():
    """No x; no coefficient; one of each; a line, a cubic; many of either."""
    yield np.zeros(0), np.array([1.0, 2.0])
    yield np.array([2.0, 3.0]), np.zeros(0)
    yield np.array([2.0]), np.array([3.0])
    yield np.array([-1.0, 0.0, 2.0]), np.array([1.0, 2.0])
    yield np.array([-1.5, 0.5, 2.0]), np.array([4.0, -3.0, 0.0, 1.0])
    yield np.linspace(-1, 1, 500), np.array([0.5, 0.25, 0.125])
    yield np.linspace(-1, 1, 9), np.cos(np.arange(70.0))
    yield np.linspace(-1, 1, 9001), np.array([0.5, 0.25])


def polynomial_inputs(st):
    """Small quarters, so that every sum is exact; and more of either, between -1 and 1."""
    quarters = st.lists(st.integers(-12, 12).map(lambda k: k / 4), max_size=4).map(
        lambda values: np.array(values, np.float64)
    )
    more = st.integers(5, 40).map(lambda size: np.cos(np.arange(float(size))))
    return st.tuples(quarters, quarters) | st.tuples(more, more)


def polynomial_files(text):
    """The one module."""
    if not isinstance(text, str):
        raise ValueError(f"the text of a module must be a string, not {type(text).__name__}")
    return {"polynomials.py": text}


# Two files, one of which is edited.

EDITS = (
    ("return b - a if b > a else 0.0", "return abs(b - a)"),
    ("SCALE = 1.0", "SCALE = 0.5"),
    ("return abs(b - a)", "return (b-a) ** 2"),  # at the same length
)
AT_FIRST = [old for old, _ in EDITS[:2]]  # what is there before any of them


def never_stale():
    """Return two files, by name, in which an edit of SCALE or step always shows."""
    together = '''"""How heights are counted, and all that is compiled with it."""

from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    """What going from height a to height b counts."""
    return b - a if b > a else 0.0


@njit(cache=True)
def climb(heights):
    """All steps of a way, counted."""
    total = 0.0
    for i in range(1, heights.size):
        total += step(heights[i - 1], heights[i])
    return SCALE * total
'''
    return {"units.py": together, "terrain.py": "from units import climb\n"}


def climb_spec(heights):
    """Step by step, in plain Python."""
    return climb_after(0, heights)


def climb_after(edits, heights):
    """The same after so many of `EDITS`."""
    step = (_up, _distance, _distance, _square)[edits]
    total = sum((step(float(a), float(b)) for a, b in itertools.pairwise(heights)), 0.0)
    return (0.5 if edits > 1 else 1.0) * total


def _up(a, b):
    return max(b - a, 0.0)


def _distance(a, b):
    return abs(b - a)


def _square(a, b):
    return (b - a) ** 2


def climb_examples():
    """No height; one; up; down; up and down; many."""
    for few in ([], [3.0], [1.0, 4.0], [4.0, 1.0], [0.0, 2.0, 1.0, 5.0]):
        yield (np.array(few),)
    for many in (300, 20_000):
        yield (np.round(8 * np.sin(np.arange(float(many)))),)


def climb_inputs(st):
    """Whole heights, a few and many."""
    few = st.lists(st.integers(-9, 9), max_size=6).map(lambda values: np.array(values, np.float64))
    many = st.integers(7, 2000).map(lambda size: np.round(9 * np.cos(np.arange(float(size)))))
    return st.tuples(few | many)


def two_files(files):
    """The two modules, and whatever else stands beside them."""
    if not isinstance(files, dict) or not all(
        isinstance(part, str) for pair in files.items() for part in pair
    ):
        raise ValueError("the files must be a dictionary from names to texts")
    if missing := {"units.py", "terrain.py"} - files.keys():
        raise ValueError(f"{' and '.join(sorted(missing))} must be among the files")
    if strange := [name for name in files if not name.removesuffix(".py").isidentifier()]:
        raise ValueError(f"{strange[0]!r} is not the name of a module's file")
    for line in AT_FIRST:
        count = sum(text.count(line) for text in files.values())
        if count != 1:
            raise ValueError(f"`{line}` must stand in the files once, not {count} times")
    return files


# What they see after so many of `EDITS`.
UNITS = ((1.0, 2.0, 0.0), (1.0, 2.0, 2.0), (0.5, 2.0, 2.0), (0.5, 4.0, 4.0))


def units_of_others():
    """What other modules see of `units`, in a later process."""
    units = importlib.import_module("units")
    return units.SCALE, units.step(1.0, 3.0), units.step(3.0, 1.0)


# A factory that remembers what it made.


@functools.cache
def scaler_of(text):
    """The compiled function whose factor this is, in hexadecimal."""
    factor = float.fromhex(text)

    @njit
    def scale(x):
        return factor * x

    return scale


def make_scaler(factor):
    """Return the compiled function that multiplies by `factor`: the same function for the same float."""
    return scaler_of(float(factor).hex())  # a text tells 0.0 from -0.0, and is the same for every NaN


def make_scaler_spec(factor):
    """What the function gives for each of the arguments that it is tried with."""
    with np.errstate(invalid="ignore"):
        return [float(factor) * x for x in arguments()]


def make_scaler_examples():
    """A float; one; a negative one; a zero that is negative; NaN."""
    for factor in (0.1, 1.0, -math.e, -0.0, math.nan):
        yield (factor,)


A_PROCESS = 20.0  # seconds: it may compile

EXERCISES = (
    Exercise(
        name="never_stale",
        reference=never_stale,
        spec=climb_spec,
        examples=climb_examples,
        inputs=climb_inputs,
        modules=Modules("terrain", "climb", two_files, units_of_others),
        not_checked=("speed",),
        seconds=A_PROCESS,
        requirements=(
            Compiled(),
            Matches(rtol=1e-12),
            Returns("float64", ndim=0),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            SecondProcessCompilesNothing(),
            EditsShow(EDITS, climb_after, UNITS),
            StaysCompiled(),
        ),
        hints=(
            "At which file does Numba look before it takes code from the cache?",
            "At the file in which the compiled function is defined. What must stand in that file, too?",
            "Define climb beside SCALE and step, in `units.py`; in `terrain.py`, `from units import climb`.",
        ),
        explanation=(
            "The stamp of a cache is made from the one file that defines the function. So what is compiled "
            "together stands together: any edit of it changes the stamp. Another way is to put a hash of the "
            "other file into the closure of climb, which is part of the key. To leave out cache=True is never "
            "stale, either, and compiles each time."
        ),
    ),
    Exercise(
        name="cached_polynomial",
        reference=cached_polynomial,
        spec=polynomial_spec,
        examples=polynomial_examples,
        inputs=polynomial_inputs,
        modules=Modules("polynomials", "polynomial", polynomial_files),
        not_checked=("speed",),
        seconds=A_PROCESS,
        requirements=(
            Compiled(),
            Matches(rtol=1e-9),
            Returns("float64", ndim=1),
            LeavesInputsAlone(),
            InBounds(),
            InAnyOrder(),
            SecondProcessCompilesNothing(),
            StaysCompiled(),
        ),
        hints=(
            "A module file is what you would write into `polynomials.py`: imports first, then the function.",
            "Where does Numba keep what it compiled when the process ends? It must be asked to.",
            "`@njit(cache=True)` on everything that Python calls. Horner's rule: for each coefficient, the "
            "highest first, `result = result * x + c`.",
        ),
        explanation=(
            "cache=True is all that it takes where a function stands in a file of its own and needs nothing from "
            "elsewhere. What polynomial calls is compiled into it; what Python calls needs cache=True itself. A "
            "signature, decorated eagerly, is kept on disk as well, and then is loaded at import."
        ),
    ),
    Exercise(
        name="make_scaler",
        reference=make_scaler,
        helpers=(scaler_of,),
        spec=make_scaler_spec,
        examples=make_scaler_examples,
        call=made_and_used,
        seconds=A_PROCESS,
        requirements=(
            MakesCompiled(),
            Scales(),
            Independent(),
            SameFloatSameFunction(),
            CompilesOnce(),
            RunsEverywhere(),
        ),
        hints=(
            "Keep what you made in a dictionary. Which keys are equal, and are the floats the same?",
            "`0.0 == -0.0`, but one over it is not; NaN is not even equal to itself. `float(factor)` first, "
            "then find a key that tells all floats apart, and no NaN from another: a text.",
            "`factor.hex()` or `repr(factor)` will do. Make the function, under `@njit`, in the factory, so "
            "that it closes over factor, and only if the key is new.",
        ),
        explanation=(
            "Each function that a factory makes is new to Numba and is compiled anew, so the factory must "
            "remember. The text of a float tells 0.0 from -0.0 and takes one NaN for another, and 1, 1.0 "
            "and True become one float first. `functools.cache` forgets nothing, as a dictionary does; "
            "`lru_cache()` keeps 128. Where there are very many factors, pass the factor as an argument: "
            "one function serves all."
        ),
    ),
)
