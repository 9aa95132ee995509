# expect: wrong: the result has
import numpy as np


def map_over_cluster(pipeline, images):
    shape = pipeline.allocate(0).shape[1:]
    return images.map_blocks(pipeline, meta=pipeline.allocate(0), chunks=(images.chunks[0], *shape))
