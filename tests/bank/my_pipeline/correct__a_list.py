# expect: correct
from numba_course.pipeline import (
    Brightness,
    HorizontalFlip,
    Normalize,
    Pipeline,
    RandomCrop,
    Resize,
    ToLayout,
)

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def my_pipeline():
    operations = []
    operations.append(Resize(height=72, width=72))
    operations.append(RandomCrop(64, 64))
    operations.append(HorizontalFlip(0.5))
    operations.append(Brightness())
    operations.append(Normalize(MEAN, STD))
    operations.append(ToLayout("CHW"))
    return Pipeline(operations, shape=(128, 128, 3), seed=12)
