"""The instruments: seconds until they answer, against compiling the same function, or running it as plain Python."""

import subprocess
import sys

import numpy as np
from numba import njit, prange

from benchmarks.harness import Case
from numba_course.lens.compiled.dispatchers import compiled_for, rebuilt
from numba_course.lens.compiled.machine_code import machine_code
from numba_course.lens.race.detector import detect, races

LINES = 150  # of a long function
FIRST = """
import numpy as np
from numba import njit, prange
from numba_course import lens

@njit(parallel=True)
def doubled(a, out):
    for i in prange(a.size):
        out[i] = a[i] * 2

assert lens.races(doubled, np.ones(8), np.ones(8)).verdict == "none found"
"""


def cases(toy):
    """Races at first, later, and of many iterations; then the machine code of a long function."""
    small = (np.ones(8), np.zeros(8))
    if not toy:
        yield Case("lens", "races, first call", python(FIRST), {"import numba": python("import numba")})
    yield Case(
        "lens",
        "races, later call",
        lambda: len(races(row_sums, np.ones((3, 3)), np.zeros(3)).conflicts),
        {"compiling": lambda: compiling(row_sums, np.ones((3, 3)), np.zeros(3))},
    )
    side = 8 if toy else 548
    many = np.ones((side, side)), np.zeros(side)
    yield Case(
        "lens",
        f"races, {side * side:,} iterations",
        lambda: len(detect(row_sums, many).conflicts),
        {"plain Python": lambda: row_sums.py_func(*many) or 0},
    )
    long = njit(of_lines(5 if toy else LINES))
    yield Case(
        "lens",
        f"machine code of {5 if toy else LINES} lines",
        lambda: machine_code(long, *small).allocations,
        {"compiling": lambda: compiling(long, *small)},
    )


@njit(parallel=True)
def row_sums(a, out):
    for i in prange(a.shape[0]):
        total = 0.0
        for j in range(a.shape[1]):
            total += a[i, j] * 2
        out[i] = total


def python(text):
    """A fresh interpreter that runs the text; its exit status."""
    return lambda: subprocess.run([sys.executable, "-c", text]).returncode


def compiling(fn, *args):
    """Compile a copy of the function for these arguments."""
    compiled_for(rebuilt(fn), args)
    return 0


def of_lines(count):
    """A function of so many lines."""
    lines = [f"    out[{k % 8}] += a[{k % 7}] * {k}" for k in range(count)]
    namespace = {"__name__": __name__}
    exec("\n".join(["def long(a, out):", *lines]), namespace)
    return namespace["long"]
