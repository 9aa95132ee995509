# expect: correct
import dask.array as da


def map_over_cluster(pipeline, images):
    shape = pipeline.allocate(0).shape[1:]
    numbers = da.arange(images.shape[0], chunks=(images.chunks[0],))
    return da.blockwise(
        lambda ids, blocks: pipeline(blocks[0][0][0], ids=ids),
        "nabc",
        numbers,
        "n",
        images,
        "nhwk",
        new_axes=dict(zip("abc", shape)),
        meta=pipeline.allocate(0),
    )
