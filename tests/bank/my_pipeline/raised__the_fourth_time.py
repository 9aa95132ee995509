# expect: raised: Silent, whose message cannot be made
import itertools

from numba_course.pipeline import Brightness, HorizontalFlip, Normalize, Pipeline, RandomCrop, Resize, ToLayout

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CALLS = itertools.count(1)


class Silent(ValueError):
    def __str__(self):
        raise RuntimeError("no words")


def my_pipeline():
    if next(CALLS) == 4:
        raise Silent
    steps = [Resize(72, 72), RandomCrop(64, 64), HorizontalFlip(), Brightness(0.2), Normalize(MEAN, STD)]
    return Pipeline([*steps, ToLayout("CHW")], (128, 128, 3), seed=12)
