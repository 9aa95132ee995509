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
    colours = [Brightness(0.2), Normalize(MEAN, STD), ToLayout("CHW")]
    return Pipeline([Resize(72, 72), RandomCrop(64, 64), HorizontalFlip(), *colours], (128, 128, 3), seed=12, threads=2)
