# expect: unmet: and a block of it is float64

import numpy as np


def map_over_cluster(pipeline, images):
    def batch(block, block_info=None):
        a, b = block_info[0]["array-location"][0]
        return pipeline(block, ids=np.arange(a, b)).astype(np.float64)

    e = pipeline.allocate(0)
    return images.map_blocks(batch, meta=e, chunks=(images.chunks[0], *e.shape[1:]))
