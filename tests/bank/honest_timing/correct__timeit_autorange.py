# expect: correct
from timeit import Timer


def honest_timing(function, *args):
    timer = Timer(lambda: function(*args))
    function(*args)
    number, seconds = timer.autorange()
    return seconds / number
