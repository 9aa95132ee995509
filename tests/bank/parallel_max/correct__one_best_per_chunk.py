# expect: correct
import numpy as np
from numba import get_num_threads, get_thread_id, njit, prange


@njit(parallel=True)
def parallel_max(values):
    chunks = 7
    best = np.full(chunks, values[0])
    for c in prange(chunks):
        for i in range(c * values.size // chunks, (c + 1) * values.size // chunks):
            if values[i] > best[c]:
                best[c] = values[i]
    return best.max()
