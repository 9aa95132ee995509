"""Load what a check needs and compile something: the fork server imports this, so its children start warm.

This is the one module that does something when imported. Nothing but the fork server may import it.
"""

import gc

import hypothesis.extra.numpy  # noqa: F401
import numba
import numpy as np

import numba_course.exercises.trial  # noqa: F401


@numba.njit
def _total(values):
    total = 0.0
    for value in values:
        total += value
    return total


_total(np.zeros(1))
gc.freeze()  # the children need not look through all that is loaded for garbage, nor copy it by looking
