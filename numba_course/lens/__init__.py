"""Instruments that show what the compiler made of a function; useful on any Numba function.

`types`, `stages`, `machine_code`, `profile`, `races`, `gil`, `cache` and `compare` each return a small value that
reads well in a terminal and in a notebook, with the facts as attributes. None alters the function that it looks at.
`timed` compares times that others have taken, as `compare` does those that it takes.
"""

from numba_course.lens.comparison import compare, timed
from numba_course.lens.compiled.machine_code import machine_code
from numba_course.lens.compiled.stages import stages
from numba_course.lens.compiled.types import types
from numba_course.lens.disk_cache import cache
from numba_course.lens.interpreter_lock import gil
from numba_course.lens.profiling.profiler import profile
from numba_course.lens.race.detector import races

__all__ = ["cache", "compare", "gil", "machine_code", "profile", "races", "stages", "timed", "types"]
