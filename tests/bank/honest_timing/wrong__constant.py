# expect: wrong: it did not read a clock
def honest_timing(function, *args):
    function(*args)
    return 1e-3
