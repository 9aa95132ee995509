# expect: crashed: the process that ran it died
import ctypes


def map_over_cluster(pipeline, images):
    def batch(block):
        ctypes.string_at(8)
        return pipeline(block)

    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))
