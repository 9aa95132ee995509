"""The predictions of the course by name: ``predict.speedup(20)``, and ``predict.speedup.outcome(figure)`` below."""

from __future__ import annotations

from numba_course.exercises import predictions
from numba_course.exercises.predictions import Prediction


def __getattr__(name: str) -> Prediction:
    if name.startswith("__"):
        raise AttributeError(name)  # what Python itself asks a module for
    try:
        return predictions.get(name)
    except KeyError as error:
        raise AttributeError(error.args[0]) from None


def __dir__() -> list[str]:
    return [name for names in predictions.NAMES.values() for name in names]
