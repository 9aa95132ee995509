# expect: correct
import timeit


def honest_timing(function, *args):
    return min(timeit.repeat(lambda: function(*args), repeat=5, number=20)) / 20
