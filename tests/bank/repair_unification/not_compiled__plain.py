# expect: not compiled: a plain Python function; decorate it with @njit
def repair_unification(flag, values):
    return values - values.mean() if flag else values * 1.0
