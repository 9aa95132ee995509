# expect: unmet: its tasks cannot be sent to another process
import threading

import numpy as np


def map_over_cluster(pipeline, images):
    lock = threading.Lock()

    def batch(block, block_info):
        start, stop = block_info[0]["array-location"][0]
        with lock:
            return pipeline(block, ids=np.arange(start, stop))

    empty = pipeline.allocate(0)
    return images.map_blocks(batch, meta=empty, chunks=(images.chunks[0], *empty.shape[1:]))
