# expect: unmet: step in its closure
UNITS = """
from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    return b - a if b > a else 0.0
"""
TERRAIN = """
from numba import njit
import units


def make(SCALE, step):
    @njit(cache=True)
    def climb(heights):
        total = 0.0
        for i in range(1, heights.size):
            total += step(heights[i - 1], heights[i])
        return SCALE * total

    return climb


climb = make(units.SCALE, units.step)
"""


def never_stale():
    return {"units.py": UNITS, "terrain.py": TERRAIN}
