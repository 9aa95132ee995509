# expect: wrong: it changed its argument `images`
import numpy as np


def map_over_cluster(pipeline, images):
    def batch(block, block_info):
        start, stop = block_info[0]["array-location"][0]
        out = pipeline(block, ids=np.arange(start, stop))
        block[...] = 0
        return out

    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))
