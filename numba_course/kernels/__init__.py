"""Reference kernels: of each a checked wrapper, trusting compiled kernels and a slow specification.

Importing them compiles nothing: that happens at the first call, or long before, where a disk cache holds them.
Only kernels whose compiled code is all in one file have such a cache, because Numba does not watch a second one.
"""

from numba_course.kernels.histograms import histogram
from numba_course.kernels.memory import memcpy
from numba_course.kernels.moving_averages import moving_average
from numba_course.kernels.reductions import dot, sum
from numba_course.kernels.resize import bilinear_resize

__all__ = ["bilinear_resize", "dot", "histogram", "memcpy", "moving_average", "sum"]
