# expect: unmet: its Dask array is declared as float32 (7, 4, 9, 3), not float32 (7, 3, 4, 9)
import numpy as np


def map_over_cluster(pipeline, images):
    def batch(block, block_info):
        start, stop = block_info[0]["array-location"][0]
        return pipeline(block, ids=np.arange(start, stop))

    return images.map_blocks(batch, meta=pipeline.allocate(0))
