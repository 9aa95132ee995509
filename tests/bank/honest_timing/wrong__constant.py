# expect: wrong: it read no clock of `time` or `timeit`
def honest_timing(function, *args):
    function(*args)
    return 1e-3
