# expect: raised: RuntimeError: too many at once
import numpy as np


def map_over_cluster(pipeline, images):
    if images.chunks[0] == (2, 4, 1):
        raise RuntimeError("too many at once")

    def batch(block, block_info):
        start, stop = block_info[0]["array-location"][0]
        return pipeline(block, ids=np.arange(start, stop))

    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))
