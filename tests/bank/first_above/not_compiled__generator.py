# expect: not compiled: plain Python function
def first_above(values, threshold):
    return next((i for i, value in enumerate(values) if value > threshold), -1)
