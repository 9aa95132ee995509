# expect: unmet: after `SCALE = 1.0` has become
UNITS = "SCALE = 1.0\n\n\ndef step(a, b):\n    from terrain import step\n    return step(a, b)\n"
TERRAIN = """
from numba import njit
from units import SCALE


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
