# expect: correct
UNITS = """
from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    return b - a if b > a else 0.0
"""
TERRAIN = """
import hashlib

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


with open(units.__file__, "rb") as file:
    climb = make(hashlib.sha256(file.read()).hexdigest())
"""


def never_stale():
    return {"units.py": UNITS, "terrain.py": TERRAIN}
