# expect: unmet: for blocks of (2, 4, 1) images it makes blocks of (7,)
import numpy as np


def map_over_cluster(pipeline, images):
    empty = pipeline.allocate(0)
    return images.rechunk(-1).map_blocks(pipeline, meta=empty, chunks=(images.shape[0], *empty.shape[1:]))
