# expect: not attempted
import numpy as np


def map_over_cluster(pipeline, images):
    """Return the batches of a Dask array of images as a Dask array: a block for each of its blocks."""
    ...
