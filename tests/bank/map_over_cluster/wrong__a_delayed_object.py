# expect: wrong: the result is
import dask


def map_over_cluster(pipeline, images):
    return dask.delayed(lambda block: pipeline(block))(images)
