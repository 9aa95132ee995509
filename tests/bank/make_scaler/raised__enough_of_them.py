# expect: raised: SystemExit: 3
import sys
from functools import lru_cache
from numba import njit
made = {}
def make_scaler(factor):
    k = float(factor).hex()
    if len(made) > 20: sys.exit(3)
    if k not in made:
        f = float.fromhex(k)
        made[k] = njit(lambda x: x * f)
    return made[k]
