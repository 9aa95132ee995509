# expect: not attempted

from numba_course.pipeline import Operation


class ffcv_flip(Operation):
    def __init__(self, key):
        self.key = key

    def declare_state_and_memory(self, state):
        ...

    def generate_code(self):
        ...
