# expect: unmet: the second process after that compiled it once more
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

with open(units.__file__, "rb") as file:
    unchanged = hashlib.sha256(file.read()).hexdigest() == "STAMP"


@njit(cache=unchanged)
def climb(heights):
    total = 0.0
    for i in range(1, heights.size):
        total += step(heights[i - 1], heights[i])
    return SCALE * total
"""


def never_stale():
    import hashlib

    stamp = hashlib.sha256(UNITS.encode()).hexdigest()
    return {"units.py": UNITS, "terrain.py": TERRAIN.replace("STAMP", stamp)}
