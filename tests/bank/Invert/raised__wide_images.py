# expect: raised: ZeroDivisionError
from numba_course.pipeline import Operation, point, uniform


class Invert(Operation):
    def __init__(self, probability=0.5):
        self.probability = probability

    def declare_state_and_memory(self, state):
        if state.shape[1] > 100:
            1 / 0
        return state, None

    def generate_code(self):
        probability = self.probability

        @point
        def invert(r, g, b, key):
            if uniform(key, 0) < probability:
                return 255.0 - r, 255.0 - g, 255.0 - b
            return r, g, b

        return invert
