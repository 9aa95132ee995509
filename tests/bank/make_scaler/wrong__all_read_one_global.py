# expect: wrong: when make_scaler(-3.0) has been called, too
from numba import njit

F = 0.0
_c = {}


def make_scaler(factor):
    global F
    F = float(factor)
    k = F.hex()
    if k not in _c:

        @njit
        def scale(x):
            return F * x

        _c[k] = scale
    return _c[k]
