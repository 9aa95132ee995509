# expect: correct
import asyncio
import numpy as np
from numba import njit
@njit(nogil=True)
def partial_sum(values, start, stop, out, index):
    out[index] = values[start:stop].sum()
def threaded_sum(values, workers):
    out = np.zeros(workers)
    b = np.linspace(0, values.size, workers + 1).astype(int)
    async def main():
        await asyncio.gather(*(asyncio.to_thread(partial_sum, values, b[k], b[k + 1], out, k) for k in range(workers)))
    asyncio.run(main())
    return out.sum()
