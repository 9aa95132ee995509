# expect: wrong: it read no clock of `time` or `timeit`
from datetime import datetime


def honest_timing(function, *args):
    function(*args)
    start = datetime.now()
    function(*args)
    return (datetime.now() - start).total_seconds()
