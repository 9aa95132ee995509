# expect: correct
import numpy as np
from numba import njit


@njit
def first_above(values, threshold):
    places = np.nonzero(values > threshold)[0]
    return places[0] if places.size else -1
