# expect: wrong: must stand in the files once, not 2 times
UNITS = """
from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    return b - a if b > a else 0.0
"""
TERRAIN = """
from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    return b - a if b > a else 0.0


@njit(cache=True)
def climb(heights):
    total = 0.0
    for i in range(1, heights.size):
        total += step(heights[i - 1], heights[i])
    return SCALE * total
"""


def never_stale():
    return {"units.py": UNITS, "terrain.py": TERRAIN}
