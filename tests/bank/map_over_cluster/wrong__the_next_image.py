# expect: wrong: the result has
import numpy as np


def map_over_cluster(pipeline, images):
    def batch(block, block_info):
        start, stop = block_info[0]["array-location"][0]
        return pipeline(block, ids=np.arange(start, stop) + 1)

    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))
