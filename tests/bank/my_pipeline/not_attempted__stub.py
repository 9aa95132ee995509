# expect: not attempted
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
    """Return the pipeline that the specification asks for."""
    ...
