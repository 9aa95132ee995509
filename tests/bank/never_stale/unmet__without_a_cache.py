# expect: unmet: it compiled `climb`, `step` once more
UNITS = """
from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    return b - a if b > a else 0.0
"""
TERRAIN = """
from numba import njit
from units import SCALE, step


@njit()
def climb(heights):
    total = 0.0
    for i in range(1, heights.size):
        total += step(heights[i - 1], heights[i])
    return SCALE * total
"""


def never_stale():
    return {"units.py": UNITS, "terrain.py": TERRAIN}
