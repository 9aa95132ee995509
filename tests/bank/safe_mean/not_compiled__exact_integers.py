# expect: not compiled: plain Python function
def safe_mean(values):
    return sum(values.tolist()) / len(values)
