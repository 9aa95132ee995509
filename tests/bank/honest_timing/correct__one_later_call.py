# expect: correct
from time import perf_counter


def honest_timing(function, *args):
    function(*args)
    start = perf_counter()
    function(*args)
    return perf_counter() - start
