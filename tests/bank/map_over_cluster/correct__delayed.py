# expect: correct
import dask
import dask.array as da
import numpy as np


def map_over_cluster(pipeline, images):
    made = dask.delayed(lambda block, start: pipeline(block, ids=np.arange(start, start + len(block))))
    starts = np.concatenate([[0], np.cumsum(images.chunks[0])[:-1]])
    shape = pipeline.allocate(0).shape[1:]
    parts = [
        da.from_delayed(made(block, start), (size, *shape), np.float32)
        for block, start, size in zip(images.to_delayed().ravel(), starts, images.chunks[0])
    ]
    return da.concatenate(parts)
