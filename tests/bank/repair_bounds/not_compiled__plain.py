# expect: not compiled: a plain Python function; decorate it with @njit
def repair_bounds(values):
    count = 1
    while count < values.size and values[count] >= values[count - 1]:
        count += 1
    return count
