# expect: not compiled: plain Python function
def double(values):
    return 2 * values
