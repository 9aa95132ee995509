# expect: wrong: the result has
from numba_course.pipeline import Operation, point, uniform


class RandomBrightness(Operation):
    """Add to a whole image one number, drawn from -amount to amount, and clip to 0..255."""

    def __init__(self, amount=32.0):
        self.amount = amount

    def generate_code(self):
        amount = float(self.amount)

        @point
        def brighten(r, g, b, key):
            change = amount * (2.0 * uniform(key, 0) - 1.0)
            return r + change, g + change, b + change

        return brighten
