# expect: raised: OSError: disk full
import numpy as np
def map_over_cluster(pipeline, images):
    def batch(block, block_info):
        start, stop = block_info[0]["array-location"][0]
        if len(block) == 4 and stop == 6: raise OSError("disk full")
        return pipeline(block, ids=np.arange(start, stop))
    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))
