# expect: correct
from timeit import default_timer


def elapsed(clock, call):
    start = clock()
    call()
    return clock() - start


def honest_timing(function, *args):
    function(*args)
    return min(elapsed(default_timer, lambda: function(*args)) for _ in range(3))
