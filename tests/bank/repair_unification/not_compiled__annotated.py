# expect: not compiled: Cannot unify
import numpy as np
from numba import njit


@njit
def repair_unification(flag: bool, values: np.ndarray) -> np.ndarray:
    result: np.ndarray = values
    if flag:
        result = values - values.mean()
    return result
