# expect: correct
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    best = np.full(get_num_threads(), -np.inf)
    for i in prange(values.size):
        mine = get_thread_id()
        if values[i] > best[mine]:
            best[mine] = values[i]
    return best.max()
