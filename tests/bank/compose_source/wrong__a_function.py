# expect: wrong: a value of type function where source text is asked
import math


def compose_source(names):
    def composed(x):
        for name in names:
            x = getattr(math, name)(x)
        return x

    return composed
