"""The exercises of the course by name: ``exercises.double.check(double)``.

A chapter is loaded when one of its exercises or predictions is first asked for. Each notebook imports this package in
its first cell, and so learns here if it was made for another version of the course.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING

from numba_course import lens
from numba_course.exercises import versions
from numba_course.exercises.examination import noted_runs
from numba_course.host import absent, brought_by, no_such
from numba_course.process import sandbox

if TYPE_CHECKING:
    from numba_course.exercises.question import Exercise
    from numba_course.exercises.records import Progress

WARM = "numba_course.exercises.examination.warm"  # what the fork server loads for checks
WARM_ARRAYS = "numba_course.exercises.requirements.warm_arrays"  # and when there is time
# Nothing starts here. But a fork server that an instrument has started without it would be replaced by the first check.
sandbox.preload([lens.WARM, WARM], WARM_ARRAYS)
# The exercises of each chapter, in the order of the course: known without loading the chapter.
NAMES = {
    "00_start_here": ("double",),
    "01_execution_model": ("sum_of_squares", "collatz_longest", "honest_timing"),
    "02_type_inference": ("first_above", "apply_gain", "safe_mean"),
    "03_signatures": ("axpy", "row_sums"),
    "04_machine_code": ("vector_sum", "divide_rows", "count_above"),
    "05_arrays_and_memory": ("normalise_into", "moving_average", "bilinear_resize", "robust_moving_average"),
    "06_errors_and_debugging": (
        "repair_unsupported",
        "repair_unification",
        "decode_message",
        "repair_bounds",
    ),
    "07_prange": ("parallel_max", "parallel_histogram", "jacobi_step"),
    "08_nogil": ("partial_sum", "threaded_sum"),
    "09_caching": ("never_stale", "cached_polynomial", "make_scaler"),
    "10_calling_c": ("memcpy_bytes", "cached_memcpy", "bessel_j0"),
    "11_code_generation": ("compose_source", "plan_buffers", "Invert", "ffcv_flip"),
    "12_pipeline": ("RandomBrightness", "my_pipeline", "map_over_cluster"),
    "13_checklist": (),
}


def of_chapter(stem: str) -> tuple[Exercise, ...]:
    """The exercises of the chapter of this stem, such as ``07_prange``, as a tuple of `Exercise`."""
    return chapter(stem, "an exercise").EXERCISES


def chapter(stem: str, what: str) -> ModuleType:
    """The module with the questions of the chapter of this stem.

    Parameters
    ----------
    stem : str
    what : str
        What is asked for in it, for a message.

    Raises
    ------
    ModuleNotFoundError
        If a package that chapters need is not installed; the message says which extra brings it.
    """
    module = f"{__name__}.chapters.{stem.partition('_')[2]}"
    if module not in sys.modules and (missing := absent("course")):
        raise ModuleNotFoundError(brought_by("course", what, missing), name=missing[0])
    return importlib.import_module(module)


def by_chapter() -> dict[str, tuple[Exercise, ...]]:
    """All exercises: from the stem of each chapter to a tuple of `Exercise`."""
    return {stem: of_chapter(stem) for stem in NAMES}


def get(name: str) -> Exercise:
    """The exercise of this name.

    Raises
    ------
    KeyError
        If there is none; the message names the nearest. Also if its chapter's module does not have it.
    """
    stem = next((stem for stem, names in NAMES.items() if name in names), None)
    if stem is None:
        raise KeyError(unknown(name, [name for names in NAMES.values() for name in names]))
    sandbox.prepare()  # while the chapter is loaded
    found = of_chapter(stem)
    if any(requirement.slow for exercise in found for requirement in exercise.requirements):
        sandbox.prepare_more()
    for exercise in found:
        if exercise.name == name:
            return exercise
    raise KeyError(f"exercises.NAMES has {name} in {stem}, but EXERCISES of that chapter's module has not")


def unknown(name: str, known: Iterable[str]) -> str:
    """What to say about an exercise that is not among those known by name."""
    return no_such("exercise", name, known, otherwise="progress lists them all")


def progress() -> Progress:
    """What is done and what was predicted, per chapter; shown by a notebook as a table."""
    from numba_course.exercises import predictions
    from numba_course.exercises.records import summary

    return summary(NAMES, predictions=predictions.NAMES)


def __getattr__(name: str) -> Exercise:
    if name.startswith("_") or importlib.util.find_spec(f"{__name__}.{name}"):
        raise AttributeError(name)  # a module of this package, which an import is about to load
    try:
        return get(name)
    except KeyError as error:
        raise AttributeError(error.args[0]) from None


def __dir__() -> list[str]:
    return ["progress", *(name for names in NAMES.values() for name in names)]


versions.mention()
noted_runs.watch()
