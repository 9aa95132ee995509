# expect: unmet: each image allocates
import numpy as np

from numba_course.pipeline import (
    AllocationQuery,
    Brightness,
    HorizontalFlip,
    Normalize,
    Operation,
    Pipeline,
    RandomCrop,
    Resize,
    ToLayout,
    gather,
    image,
)

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Pulled(Operation):
    def generate_code(self):
        @gather
        def pulled(load, y, x, c, key):
            values = np.empty(int(load(y, x, c) * 0.0) + 1)
            values[0] = load(y, x, c)
            return values[0]

        return pulled


def my_pipeline():
    steps = [Resize(72, 72), RandomCrop(64, 64), HorizontalFlip(), Brightness(0.2), Normalize(MEAN, STD)]
    return Pipeline([*steps, Pulled(), ToLayout("CHW")], (128, 128, 3), seed=12)
