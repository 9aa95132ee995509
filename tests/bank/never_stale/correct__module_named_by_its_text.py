# expect: correct (from Numba 0.68 on)
UNITS = """
from numba import njit

SCALE = 1.0


@njit
def step(a, b):
    return b - a if b > a else 0.0
"""
TERRAIN = """
import hashlib, importlib, pathlib

folder = pathlib.Path(__file__).parent
text = (folder / "units.py").read_text() + (folder / "kernel.txt.py").read_text()
name = "terrain_" + hashlib.sha256(text.encode()).hexdigest()[:12]
(folder / f"{name}.py").write_text(text)
importlib.invalidate_caches()
climb = importlib.import_module(name).climb
"""
KERNEL = """
@njit(cache=True)
def climb(heights):
    total = 0.0
    for i in range(1, heights.size):
        total += step(heights[i - 1], heights[i])
    return SCALE * total
"""


def never_stale():
    return {"units.py": UNITS, "terrain.py": TERRAIN.replace("kernel.txt", "kernel"), "kernel.py": KERNEL}
