"""Instruments that show what the compiler made of a function; useful on any Numba function."""

from numba_course.lens.races import races

__all__ = ["races"]
