"""Compile what Numba's own code for arrays is made of, ahead of answers that need it: seconds of each check in a child.

Numba compiles the message of a failed broadcast, with all that makes text, for the first assignment of an
array in a process. New arrays and sums along an axis are common, too. It keeps what it compiled apart for each set of
options of the function that asks for it.
"""

import gc
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import TypeAlias

import numba
import numpy as np

from numba_course.lens.compiled.dispatchers import hardly_optimised


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


def _assign_row(out, values):
    out[0] = values


VALUES, TABLE, CUBE = np.zeros(3), np.zeros((3, 3)), np.zeros((3, 3, 3))
Calls: TypeAlias = tuple[tuple[Callable[..., object], tuple[object, ...]], ...]
CALLS: Calls = (
    (_assign, (TABLE, TABLE)),
    (_assign, (VALUES, VALUES)),
    (_sum_along, (TABLE.astype(np.int64),)),
    (_new, (VALUES, 1)),
    (_tables, (1,)),
    (_sum, (VALUES,)),
)
# Nothing of these runs in parallel, whatever the options: where a parallel loop was compiled, OpenMP's threads are
# ready, and a process that is forked there and wants threads of its own is ended.
SERIAL_CALLS: Calls = (
    (_assign_row, (CUBE, TABLE)),
    (_assign_row, (TABLE, VALUES)),
    (_sum_along, (TABLE.astype(np.int64),)),
)
CHECKED = {"boundscheck": True}  # of these copies only what they raise is of interest
COMPILED: tuple[tuple[dict[str, bool], Calls], ...] = (
    ({}, CALLS),
    (CHECKED, CALLS),
    ({"parallel": True}, SERIAL_CALLS),
)


def steps() -> Iterator[None]:
    """Compile for each set of options that a check has answers compiled with; for whoever forks the children."""
    for options, calls in COMPILED:
        for function, args in calls:
            lightly = hardly_optimised() if options is CHECKED else nullcontext()
            with warnings.catch_warnings(action="ignore"), lightly:
                numba.njit(**options)(function).compile(tuple(map(numba.typeof, args)))
            gc.freeze()  # the children need not look through it for garbage
            yield
