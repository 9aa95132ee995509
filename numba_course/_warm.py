"""Compile one trivial function at import: the fork server imports this, so that its children start warm.

This is the one module that does something when imported. Nothing but the fork server may import it.
"""

import numba
import numba.np.ufunc.parallel  # makes its process lock here, once, and not in each child
import numpy as np


@numba.njit
def _total(values):
    total = 0.0
    for value in values:
        total += value
    return total


_total(np.zeros(1))
