# expect: timed out: it had not ended after 4 seconds and was stopped, while looking whether it is the same
from numba_course.pipeline import Operation


class RandomBrightness(Operation):
    def __init__(self, amount=32.0):
        self.amount = amount

    def generate_code(self):
        while True:
            self.amount += 1.0
