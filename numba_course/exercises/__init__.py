"""The exercises of the course by name: ``exercises.double.check(double)``.

Chapters are loaded when one of their exercises is first asked for.
"""

from __future__ import annotations

import difflib
import importlib.util

from numba_course import sandbox
from numba_course.exercises import versions

# Chapter number and topic, in the order of the course; each topic is a module of `chapters`.
CHAPTERS = {
    "start_here": "00",
    "execution_model": "01",
    "type_inference": "02",
    "signatures": "03",
    "machine_code": "04",
    "arrays_and_memory": "05",
    "errors_and_debugging": "06",
    "prange": "07",
    "nogil": "08",
    "caching": "09",
    "calling_c": "10",
    "code_generation": "11",
    "pipeline": "12",
    "checklist": "13",
}


def _chapter(topic):
    return importlib.import_module(f"numba_course.exercises.chapters.{topic}")


def by_chapter():
    """All exercises: from the stem of a chapter, such as ``07_prange``, to a tuple of `Exercise`."""
    return {f"{number}_{topic}": _chapter(topic).EXERCISES for topic, number in CHAPTERS.items()}


def get(name):
    """The exercise of this name.

    Raises
    ------
    KeyError
        If there is none; the message names the nearest.
    """
    sandbox.prepare()  # while the chapters are loaded
    known = {exercise.name: exercise for chapter in by_chapter().values() for exercise in chapter}
    if name not in known:
        raise KeyError(unknown(name, known))
    return known[name]


def unknown(name, known):
    """What to say about an exercise that is not among those known by name."""
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "progress lists them all"
    return f"there is no exercise {name}; {hint}"


def progress():
    """What is done, per chapter; shown by a notebook as a table."""
    from numba_course.exercises.records import summary

    return summary({chapter: [e.name for e in found] for chapter, found in by_chapter().items()})


def __getattr__(name):
    if name.startswith("_") or importlib.util.find_spec(f"{__name__}.{name}"):
        raise AttributeError(name)  # a module of this package, which an import is about to load
    try:
        return get(name)
    except KeyError as error:
        raise AttributeError(error.args[0]) from None


def __dir__():
    return ["progress", *(exercise.name for chapter in by_chapter().values() for exercise in chapter)]


versions.mention()  # each chapter imports this module in its first cell
