# expect: not compiled: compiled=False
import numpy as np
from numba_course.exercises.chapters.pipeline import batch_spec
from numba_course.pipeline import Normalize, Pipeline, Resize, ToLayout

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Copied(Pipeline):
    """It asks the specification."""

    def __call__(self, images, *, rows=None, ids=None, epoch=0, out=None):
        return batch_spec(np.asarray(images), epoch)


def my_pipeline():
    return Copied([Resize(64, 64), Normalize(MEAN, STD), ToLayout("CHW")], (128, 128, 3), compiled=False)
