"""What the checks of a whole suite have in common, loaded and compiled once: children of the fork server inherit it.

Numba compiles the message of a failed broadcast, with all that makes text, for every first assignment of an
array, and once more where every index is checked: several seconds, in each child again. New arrays, sums, and the draws
of a pipeline are common, too. The suite starts hundreds of children, a notebook only a few.
"""

import gc
from contextlib import nullcontext, suppress

import numba
import numpy as np

from numba_course import exercises
from numba_course.exercises.requirements.accesses import hardly_optimised
from numba_course.pipeline import runtime

exercises.by_chapter()
with suppress(ModuleNotFoundError):
    import dask.array  # noqa: F401


def _assign(out, values):
    out[:] = values * values[:1]
    return np.sum(values)


def _arrays(values, n):
    new = np.empty(n), np.empty_like(values), np.zeros(n)
    whole = np.empty(n, np.int64), np.zeros(n, np.int64)
    return new, whole, min(n, 1), max(n, 1), max(values[0], 0.0), int(values[0]), values.reshape(n)


@numba.njit
def _draw(seed, epoch, sample):
    key = runtime.sample_key(seed, epoch, sample)
    return runtime.uniform(runtime.op_key(key, 0), 0) + runtime.uniform(runtime.op_key(key, 1), 0)


for _options, _passes in ({}, nullcontext()), ({"boundscheck": True}, hardly_optimised()):
    with _passes:
        _compiled = numba.njit(**_options)(_assign)
        for _shape in (2,), (2, 2):
            _compiled(np.ones(_shape), np.ones(_shape))
        numba.njit(**_options)(_arrays)(np.ones(2), 2)
_draw(np.uint64(0), np.uint64(0), 0)
gc.freeze()
