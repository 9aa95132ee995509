# expect: raised: missing 1 required positional argument
from numba_course.pipeline import Operation, point, uniform


class RandomBrightness(Operation):
    """Add to a whole image one number, drawn from -amount to amount, and clip to 0..255."""

    def __init__(self, amount):
        self.amount = amount

    def generate_code(self):
        amount = float(self.amount)

        @point
        def brighten(r, g, b, key):
            change = amount * (2.0 * uniform(key, 0) - 1.0)
            return (
                min(max(r + change, 0.0), 255.0),
                min(max(g + change, 0.0), 255.0),
                min(max(b + change, 0.0), 255.0),
            )

        return brighten
