# expect: not attempted
from numba_course.pipeline import Operation


class RandomBrightness(Operation):
    """Add to a whole image one number, drawn from -amount to amount, and clip to 0..255."""

    def __init__(self, amount=32.0):
        self.amount = amount

    def generate_code(self):
        ...
