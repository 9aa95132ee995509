# expect: not compiled: Invalid use of getiter
def compose_source(names):
    return f"""
import math

NAMES = {tuple(names)!r}

def composed(x):
    for name in NAMES:
        x = getattr(math, name)(x)
    return x
"""
