# expect: correct (from Numba 0.68 on)
import numpy as np
from numba import njit, prange


@njit(fastmath={"reassoc"})
def vector_sum(values):
    return values.sum()
