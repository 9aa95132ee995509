# expect: unmet: it reads the images before the result is asked for
import numpy as np


def map_over_cluster(pipeline, images):
    return pipeline(images.compute(scheduler="synchronous"))
