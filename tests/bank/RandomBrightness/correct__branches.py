# expect: correct
from numba_course.pipeline import Operation, point, uniform


class RandomBrightness(Operation):
    """Add to a whole image one number, drawn from -amount to amount, and clip to 0..255."""

    def __init__(self, amount=32.0):
        self.amount = amount

    def generate_code(self):
        low, span = -float(self.amount), 2 * float(self.amount)

        @point
        def brighten(r, g, b, key):
            change = low + span * uniform(key, 0)
            if change > 0:
                return min(r + change, 255.0), min(g + change, 255.0), min(b + change, 255.0)
            return max(r + change, 0.0), max(g + change, 0.0), max(b + change, 0.0)

        return brighten
