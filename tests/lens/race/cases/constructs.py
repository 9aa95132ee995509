"""Programs that are long, or made of what Numba extends Python with: overloads, jitclasses, NumPy's third argument."""

import numpy as np
from numba import float64, int64, njit, prange
from numba.experimental import jitclass
from numba.extending import overload

from tests.lens.race.cases.reported import race, valid

UP = np.arange(8.0)


def scaled(value):
    """Only compiled code has it."""


@overload(scaled)
def _scaled(value):
    return lambda value: value * 2


@jitclass([("count", int64), ("sums", float64[:])])
class Sums:
    def __init__(self, size):
        self.count = 0
        self.sums = np.zeros(size)

    def add(self, k, value):
        self.count += 1
        self.sums[k] += value


@valid(UP)
def overload_and_jitclass(a):
    out = np.zeros(len(a))
    for i in prange(len(a)):
        own = Sums(2)
        own.add(1, scaled(a[i]))
        out[i] = own.sums[1] + own.count
    return out


@race(UP, says="both write total.count")
def one_instance_for_all(a):
    total = Sums(8)
    for i in prange(len(a)):
        total.add(i, a[i])
    return total.count


@race(np.eye(4), np.zeros((1, 4)), says="iterations 0 and 1 both write out[0, 0]")
def product_into_one_row(a, out):
    for i in prange(4):
        np.dot(a[i : i + 1], a, out)


LINES = [
    f"        v{k} = v{k - 1} + {k}\n        if v{k} > {k}:\n            v{k} = v{k} - 1\n"
    for k in range(1, 30)
]
TEXT = "def a_long_body(a):\n    s = 0.0\n    for i in prange(len(a)):\n        v0 = a[i]\n"
exec(TEXT + "".join(LINES) + "        s += v29\n    return s\n", globals())
valid(UP)(njit(parallel=True)(globals()["a_long_body"]))
