# expect: correct
from numba_course.pipeline import Operation, gather, uniform


class RandomBrightness(Operation):
    """Add to a whole image one number, drawn from -amount to amount, and clip to 0..255."""

    def __init__(self, amount=32.0):
        self.amount = amount

    def generate_code(self):
        amount = float(self.amount)

        @gather
        def brighten(load, y, x, c, key):
            return min(max(load(y, x, c) + amount * (2.0 * uniform(key, 0) - 1.0), 0.0), 255.0)

        return brighten
