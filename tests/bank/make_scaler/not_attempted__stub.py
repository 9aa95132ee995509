# expect: not attempted
def make_scaler(factor):
    """Return the compiled function that multiplies by `factor`."""
    ...
