# expect: unmet: in bounds
UNITS = """
from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    return b - a if b > a else 0.0

@njit(cache=True)
def climb(heights):
    total = 0.0
    for i in range(heights.size + 1):
        a, b = heights[i - 1], heights[i]
        total += step(a, b) if 0 < i < heights.size else 0.0
    return SCALE * total
"""
TERRAIN = """
from units import climb
"""


def never_stale():
    return {"units.py": UNITS, "terrain.py": TERRAIN}
