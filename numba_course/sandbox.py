"""The former place of `numba_course.process.sandbox`, for cells that learners have edited."""

from numba_course.process.sandbox import describe, run

__all__ = ["describe", "run"]
