"""What the checks of a whole suite have in common, compiled once in the fork server: its children inherit it.

Numba compiles the message of a failed broadcast, with all that makes text, for every first assignment of an
array, and once more where every index is checked: several seconds, in each child again. Sums are common, too. The suite
starts hundreds of children, a notebook only a few.
"""

import gc

import numba
import numpy as np


def _assign(out, values):
    out[:] = values * values[:1]
    return np.sum(values)


for _options in {}, {"boundscheck": True}:
    _compiled = numba.njit(**_options)(_assign)
    for _shape in (2,), (2, 2):
        _compiled(np.ones(_shape), np.ones(_shape))
gc.freeze()
