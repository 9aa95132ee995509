"""Functions of which it is known which line takes the time; the comment says of what kind it is."""

import math
import signal

import numba
import numpy as np
from numba import guvectorize, njit, prange
from numba.experimental import jitclass

from tests.lens.profiling import callee

GENERATED = """
@njit
def generated(n):
    total = 0.0
    for i in range(n):
        total += math.tan(i)  # the slow line of generated code
    return total
"""


@njit
def two_loops(n):
    total = 0.0
    for i in range(n):
        total += math.sqrt(i) / (1.0 + total)
    for i in range(10 * n):
        total += math.sqrt(i) / (1.0 + total)  # slow
    return total


@njit
def sines(a, out):
    for i in range(a.size):
        out[i] = math.sin(a[i]) ** 1.3  # slow
    total = 0.0
    for i in range(a.size):
        total += out[i]
    return total


@njit(cache=True)
def calls_another_file(n):
    return callee.slow(n)  # slow


@njit
def calls_what_is_not_inlined(n):
    total = 0.0
    for _ in range(n):
        total += recursive(12)  # slow
    return total


@njit
def recursive(n):
    if n < 2:
        return 1.0
    return recursive(n - 1) + recursive(n - 2)


@njit(parallel=True)
def uneven(a):
    for i in prange(a.size):
        for k in range(20 * i):
            a[i] = math.sqrt(a[i] + k)  # slow
    return a.sum()


@njit
def allocates(n):
    total = 0.0
    for i in range(n):
        block = np.ones(100_000)
        copy = block.copy()  # slow
        total += copy[i]
    return total


def closed_over(power):
    @njit
    def closure(n):
        total = 0.0
        for i in range(n):
            total += math.pow(i, power)  # slow
        return total

    return closure


@jitclass([("x", numba.float64)])
class Walker:
    def __init__(self):
        self.x = 1.0

    def walk(self, n):
        for i in range(n):
            self.x = math.cos(self.x + i)  # slow


@guvectorize(["f8[:], f8[:]"], "(n)->()")
def row_sums(row, out):
    total = 0.0
    for i in range(row.size):
        total += math.exp(row[i])  # slow
    out[0] = total


@njit
def steps(n):
    for i in range(n):
        x = 0.0
        for j in range(100):
            x += math.sqrt(i * j)  # slow
        yield x


@njit
def sorts(a):
    a.sort()  # slow
    if a[0] <= a[-1]:
        raise ValueError("they are sorted")


@njit
def never_ends(x):
    while x < 1e300:
        x = math.sin(x)  # slow
    return x


@njit
def tiny(x):
    return x + 1


@njit(nogil=True)
def multiplies(a):
    b = a + 1.0
    return b @ b  # slow


namespace = {"njit": njit, "math": math}
exec(GENERATED, namespace)
generated = namespace["generated"]
closure = closed_over(2.5)


def in_libraries(a):
    """Calls functions that have others work: the C library's, those for mathematics and for matrices."""
    b = np.ones(50_000)
    sines(b, b.copy())
    allocates(10)
    multiplies(a)


def takes_the_signal(n):
    signal.signal(signal.SIGPROF, signal.SIG_IGN)
    return two_loops(n)


def many(a):
    """Calls all kinds of compiled functions, each for about as long."""
    closure(40_000)
    generated(40_000)
    Walker().walk(40_000)
    row_sums(a)
    calls_another_file(40_000)
    calls_what_is_not_inlined(1_000)
    for _ in steps(3_000):
        pass


def stops_the_timer(n):
    signal.setitimer(signal.ITIMER_PROF, 0)
    return two_loops(n)


@njit
def counts_in(counters):
    """Changes one element of many."""
    counters[0] += 1.0
