"""Compile what Numba's own code for arrays is made of, ahead of answers that need it: seconds of each check in a child.

Numba compiles the message of a failed broadcast, with all that makes text, for the first assignment of an
array in a process. New arrays and sums along an axis are common, too. It does its work as it is imported: nothing but
the fork server may import it.
"""

import gc
from collections.abc import Callable

import numba
import numpy as np


def _new(values, n):
    return np.empty(n), np.empty_like(values), np.zeros(n), np.zeros(n, np.int64), np.empty(n, np.int64)


def _tables(n):
    return np.zeros((n, n)), np.zeros((n, n), np.int64)


def _sum(values):
    return values.sum()


def _sum_along(values):
    return values.sum(axis=0)


def _assign(out, values):
    out[:] = values * values[:1]


VALUES, TABLE = np.zeros(3), np.zeros((3, 3))
CALLS: tuple[tuple[Callable[..., object], tuple[object, ...]], ...] = (
    (_assign, (TABLE, TABLE)),
    (_assign, (VALUES, VALUES)),
    (_sum_along, (TABLE.astype(np.int64),)),
    (_new, (VALUES, 1)),
    (_tables, (1,)),
    (_sum, (VALUES,)),
)

for function, args in CALLS:
    numba.njit(function).compile(tuple(map(numba.typeof, args)))
gc.freeze()
