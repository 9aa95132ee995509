# expect: not compiled: its class Mine makes the batch in the place of Pipeline
from numba_course.pipeline import Brightness, HorizontalFlip, Normalize, Pipeline, RandomCrop, Resize, ToLayout

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Mine(Pipeline):
    def __call__(self, images, **named):
        plain = Pipeline(STEPS, (128, 128, 3), seed=12, compiled=False)
        return plain(images, **named)


STEPS = [
    Resize(72, 72),
    RandomCrop(64, 64),
    HorizontalFlip(),
    Brightness(0.2),
    Normalize(MEAN, STD),
    ToLayout("CHW"),
]


def my_pipeline():
    return Mine(STEPS, (128, 128, 3), seed=12)
