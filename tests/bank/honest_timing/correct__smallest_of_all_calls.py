# expect: correct
import time as clock


def once(function, args):
    start = clock.monotonic()
    function(*args)
    return clock.monotonic() - start


def honest_timing(function, *args):
    return min([once(function, args) for _ in range(5)])
