"""What the checks of a whole suite have in common, loaded and compiled once: children of the fork server inherit it.

All chapters, what Numba's arrays are made of, and the draws of a pipeline. The suite starts hundreds of children, a
notebook only a few.
"""

import gc
from contextlib import suppress

import numba
import numpy as np

from numba_course import exercises
from numba_course.exercises.requirements import warm_arrays
from numba_course.pipeline import runtime

exercises.by_chapter()
with suppress(ModuleNotFoundError):
    import dask.array  # noqa: F401


@numba.njit
def _draw(seed, epoch, sample):
    key = runtime.sample_key(seed, epoch, sample)
    return runtime.uniform(runtime.op_key(key, 0), 0) + runtime.uniform(runtime.op_key(key, 1), 0)


for _ in warm_arrays.steps():
    pass
_draw(np.uint64(0), np.uint64(0), 0)
gc.freeze()
