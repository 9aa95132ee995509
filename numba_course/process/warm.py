"""Load Numba and compile something: the fork server imports this, so its children start warm.

It does its work as it is imported, and that takes a second: nothing but the fork server may import it.
"""

import gc

import numba
import numpy as np


@numba.njit
def _total(values):
    total = 0.0
    for value in values:
        total += value
    return total


_total(np.zeros(1))
gc.freeze()  # the children need not look through all that is loaded for garbage, nor copy it by looking
