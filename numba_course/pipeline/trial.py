"""Whether an operation's values stay in the range that it declares: it is tried on black and white."""

from __future__ import annotations

import itertools

import numpy as np

from numba_course.pipeline import modules, runtime
from numba_course.pipeline.lifting import Lifted
from numba_course.pipeline.protocol import REALS, PipelineError, State

SLACK = 1e-3  # of the range: as much as rounding may do
KEYS = tuple(np.uint64(key) for key in (1, 2**40, 2**63, 2**64 - 5))


def outside(lifted: Lifted, kind: str, before: State, after: State) -> str:
    """A value beyond the declared range, and for what it is given; nothing where none was found.

    Of an @image, which may take long, nothing is found: it is taken at its word.
    """
    if before.values is None or after.values is None or kind not in REALS:
        return ""
    low, high = after.values
    slack = SLACK * (high - low)
    tries = _gathers(lifted, before, after) if kind == "gather" else _points(lifted, before)
    try:
        with np.errstate(all="ignore"):
            for given, result in tries:
                for value in result:
                    if not low - slack <= value <= high + slack:
                        return f"{float(value):g} for {given}"
    except PipelineError:
        raise
    except Exception as error:  # whatever it is, the values are not known
        return f"{type(error).__name__} as it is tried: {error}"
    return ""


def _points(lifted, before):
    function = _function(lifted)
    for pixel in itertools.product(before.values, repeat=before.shape[2]):
        for key in KEYS:
            given = f"the pixel ({', '.join(f'{value:g}' for value in pixel)})"
            yield given, np.broadcast_arrays(*function(*map(np.float32, pixel), key))


def _gathers(lifted, before, after):
    """Images that are black, white, and like a chessboard, from which a pixel in the middle is pulled."""
    low, high = before.values
    middle = np.int64(after.shape[0] // 2), np.int64(after.shape[1] // 2)
    patterns = {
        "a black image": lambda y, x, c: low,
        "a white image": lambda y, x, c: high,
        "a chessboard": lambda y, x, c: high if (y + x) % 2 else low,
        "another chessboard": lambda y, x, c: low if (y + x) % 2 else high,
    }
    for given, pattern in patterns.items():
        function = _function(lifted, pattern)
        for channel, key in itertools.product(range(before.shape[2]), KEYS):
            yield given, (function(None, key, *middle, np.int64(channel)),)


def _function(lifted, pattern=None):
    """The lifted function in plain Python, for which the step before is a pattern."""
    head = f"from {runtime.__name__} import {', '.join(runtime.GENERATED)}", "import numpy as np"
    names = modules.interpret("\n".join([*head, *(written.text for written in lifted.functions), ""]))
    names[lifted.name.replace("step", "load")] = lambda source, key, y, x, c: np.float32(pattern(y, x, c))
    return names[lifted.name]
