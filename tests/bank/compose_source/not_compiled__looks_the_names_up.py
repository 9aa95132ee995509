# expect: not compiled: No implementation of function Function(<built-in function getattr>)
def compose_source(names):
    return f"""
import math

NAMES = {tuple(names)!r}

def composed(x):
    for name in NAMES:
        x = getattr(math, name)(x)
    return x
"""
