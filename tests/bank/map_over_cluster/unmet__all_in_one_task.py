# expect: unmet: for a block of 4 images it reads 7
import dask
import dask.array as da
import numpy as np


def map_over_cluster(pipeline, images):
    whole = dask.delayed(lambda *blocks: pipeline(np.concatenate(blocks)))(*images.to_delayed().ravel())
    stops = np.cumsum(images.chunks[0])
    shape = pipeline.allocate(0).shape[1:]
    parts = [
        da.from_delayed(whole[stop - size : stop], (size, *shape), np.float32)
        for stop, size in zip(stops, images.chunks[0])
    ]
    return da.concatenate(parts)
