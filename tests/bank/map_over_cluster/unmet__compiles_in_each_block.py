# expect: unmet: a worker compiles, though the machine code is on the disk
import numpy as np
from numba import njit


def map_over_cluster(pipeline, images):
    def batch(block, block_info):
        start, stop = block_info[0]["array-location"][0]
        numbers = njit(lambda first, last: np.arange(first, last))
        return pipeline(block, ids=numbers(start, stop))

    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))
