# expect: timed out: seconds and was stopped
import threading


def map_over_cluster(pipeline, images):
    def batch(block):
        threading.Event().wait()
        return pipeline(block)

    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))
