# expect: crashed: the process that ran it died
import ctypes

from numba_course.pipeline import Operation


class RandomBrightness(Operation):
    def __init__(self, amount=32.0):
        self.amount = amount

    def generate_code(self):
        ctypes.memset(8, 0, 8)
