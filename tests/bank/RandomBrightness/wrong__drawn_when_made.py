# expect: wrong: the next epoch draws the same numbers again
import random

from numba_course.pipeline import Operation, point


class RandomBrightness(Operation):
    """Add to a whole image one number, drawn from -amount to amount, and clip to 0..255."""

    def __init__(self, amount=32.0):
        self.amount = amount

    def generate_code(self):
        change = self.amount * (2.0 * random.Random(0).random() - 1.0)

        @point
        def brighten(r, g, b, key):
            return (
                min(max(r + change, 0.0), 255.0),
                min(max(g + change, 0.0), 255.0),
                min(max(b + change, 0.0), 255.0),
            )

        return brighten
