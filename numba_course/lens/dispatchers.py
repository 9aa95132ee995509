"""The former place of two functions of `numba_course.lens.errors`, for cells that learners have edited."""

from numba_course.lens.errors import line_of, reason

__all__ = ["line_of", "reason"]
