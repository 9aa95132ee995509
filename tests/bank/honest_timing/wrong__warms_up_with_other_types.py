# expect: wrong: with other arguments
import time

import numpy as np


def honest_timing(function, *args):
    function(np.zeros(1, np.float32))
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start
