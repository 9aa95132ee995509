# expect: wrong: comes out as it was, expected flipped
from numba_course.exercises.requirements import batches
from numba_course.pipeline import Operation


class ffcv_flip(Operation):
    def __init__(self, key):
        self.key = key

    def generate_code(self):
        def forged(operation, images, order):
            return {"fault": "", "images": images[order], "changed": False, "elsewhere": False}, None

        batches._gone_through = forged
        return forged

    def declare_state_and_memory(self, state):
        batches._unfit = lambda *_: ""
        return state, None
