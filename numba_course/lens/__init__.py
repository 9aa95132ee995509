"""Instruments that show what the compiler made of a function; useful on any Numba function.

`types`, `stages`, `machine_code`, `races`, `runs`, `gil`, `cache`, `compare` and `profile` each return a small value
that reads well in a terminal and in a notebook, with the facts as attributes. None alters the function that it looks
at. `timed` compares times that others have taken, as `compare` does those that it takes. Each `assert_…` is for tests.

An instrument is imported when it is first asked for. So the pytest plugin, which is loaded with every pytest, and the
command, which runs a program, import no Numba before the tests or the program do.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numba_course.lens.assertions import (
        assert_allocations,
        assert_cache_fresh,
        assert_race_free,
        assert_releases_gil,
        assert_specialisations,
        assert_vectorised,
    )
    from numba_course.lens.comparison import compare, timed
    from numba_course.lens.compiled.machine_code import machine_code
    from numba_course.lens.compiled.stages import stages
    from numba_course.lens.compiled.types import types
    from numba_course.lens.disk_cache import cache
    from numba_course.lens.interpreter_lock import gil
    from numba_course.lens.profiling.profiler import profile
    from numba_course.lens.race.detector import races
    from numba_course.lens.race.real_calls import runs

WARM = "numba_course.lens.warm"  # what the fork server loads for the instruments
# The module that has each name.
HOMES = {
    "assert_allocations": "assertions",
    "assert_cache_fresh": "assertions",
    "assert_race_free": "assertions",
    "assert_releases_gil": "assertions",
    "assert_specialisations": "assertions",
    "assert_vectorised": "assertions",
    "cache": "disk_cache",
    "compare": "comparison",
    "gil": "interpreter_lock",
    "machine_code": "compiled.machine_code",
    "profile": "profiling.profiler",
    "races": "race.detector",
    "runs": "race.real_calls",
    "stages": "compiled.stages",
    "timed": "comparison",
    "types": "compiled.types",
}

__all__ = [
    "assert_allocations",
    "assert_cache_fresh",
    "assert_race_free",
    "assert_releases_gil",
    "assert_specialisations",
    "assert_vectorised",
    "cache",
    "compare",
    "gil",
    "machine_code",
    "profile",
    "races",
    "runs",
    "stages",
    "timed",
    "types",
]


def __getattr__(name: str) -> Any:
    if name in HOMES:
        from numba_course.process import sandbox

        sandbox.preload([WARM])
        found = getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)
        globals()[name] = found
        return found
    if not name.startswith("_") and importlib.util.find_spec(f"{__name__}.{name}"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Give a session of IPython the magics, for ``%load_ext numba_course.lens``."""
    from numba_course.lens import magics

    magics.register(shell)


def __dir__() -> list[str]:
    return __all__
