"""What the checks of a whole suite have in common, compiled once in the fork server: its children inherit it.

Numba compiles the message of a failed broadcast, with all that makes text, for every first assignment of an
array: several seconds, in each child again. The suite starts hundreds of them, a notebook only a few.
"""

import numba
import numpy as np


@numba.njit
def _assign(out, values):
    out[:] = values * values[:1]


for _shape in (2,), (2, 2):
    _assign(np.ones(_shape), np.ones(_shape))
