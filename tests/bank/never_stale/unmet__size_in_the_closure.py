# expect: unmet: after `return abs(b - a)` has become `return (b-a) ** 2`, the result
UNITS = """
from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    return b - a if b > a else 0.0
"""
TERRAIN = """
import os

import units
from numba import njit
from units import SCALE, step


def make(stamp):
    @njit(cache=True)
    def climb(heights):
        stamp
        total = 0.0
        for i in range(1, heights.size):
            total += step(heights[i - 1], heights[i])
        return SCALE * total

    return climb


climb = make((os.path.getsize(units.__file__), SCALE))
"""


def never_stale():
    return {"units.py": UNITS, "terrain.py": TERRAIN}
