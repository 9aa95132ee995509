"""Load what a check needs and compile something: the fork server imports this, so its children start warm.

This is the one module that does something when imported. Nothing but the fork server may import it.
"""

import gc

import numba
import numpy as np
from hypothesis import strategies
from hypothesis.extra.numpy import arrays

from numba_course.exercises import trial


@numba.njit
def _total(values):
    total = 0.0
    for value in values:
        total += value
    return total


_total(np.zeros(1))
trial.settle_in()
trial.drawn(strategies.tuples(arrays(np.float64, 2)))  # Hypothesis looks at all modules that are there, once
gc.freeze()  # the children need not look through all that is loaded for garbage, nor copy it by looking
