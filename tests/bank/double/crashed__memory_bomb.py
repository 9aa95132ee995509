# expect: crashed: of memory and was stopped
import numpy as np
from numba import njit


@njit
def double(values):
    kept = [values]
    while len(kept) > 0:
        kept.append(np.ones(1_000_000))
    return kept[0]
