# expect: unmet: it stores
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


class Stored(Operation):
    def declare_state_and_memory(self, state):
        return state, AllocationQuery(state.shape, state.dtype)

    def generate_code(self):
        @image
        def stored(source, out, key):
            for y in range(64):
                for x in range(64):
                    for c in range(3):
                        out[y, x, c] = source[y, x, c]

        return stored


def my_pipeline():
    steps = [Resize(72, 72), RandomCrop(64, 64), HorizontalFlip(), Brightness(0.2), Normalize(MEAN, STD)]
    return Pipeline([*steps, Stored(), ToLayout("CHW")], (128, 128, 3), seed=12)
