"""Kernels compiled with every index checked."""

import pytest
from numba import config

from numba_course.lens.compiled.dispatchers import rebuilt


def bounds_checked(kernel):
    """A copy of a kernel and of what it calls that raises IndexError at every index out of bounds.

    It runs on one thread, as an IndexError is lost inside a parallel loop. It is not optimised, so that it is
    compiled in two thirds of the time: whoever asks for it times nothing.
    """
    copy = rebuilt(kernel, boundscheck=True, parallel=False)
    optimised = copy.compile

    def compile_as_it_is(signature):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(config, "OPT", type(config.OPT)(0))
            return optimised(signature)

    copy.compile = compile_as_it_is
    return copy
