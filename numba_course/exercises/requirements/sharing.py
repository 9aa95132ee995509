"""A requirement on parallel loops: that the work is done in them, and by more than one thread."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import llvmlite.binding
import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc import parallel

from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.results import difference
from numba_course.exercises.requirements.structure import Parallel
from numba_course.lens.compiled.dispatchers import hardly_optimised, rebuilt

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding

THREADS = 4  # simulated, on any machine
VEIL = -np.inf  # what a share that is left out sees: it is the largest of nothing, and in no bin
SYMBOL = "numba_parallel_for"  # what compiled code calls for each parallel loop
SIZES = ctypes.POINTER(ctypes.c_size_t)  # addresses, too, are numbers of that size
KERNEL = ctypes.CFUNCTYPE(None, SIZES, SIZES, SIZES, ctypes.c_void_p)  # (arrays, counts, steps, data)
LOOP = ctypes.CFUNCTYPE(
    None,
    ctypes.c_void_p,
    SIZES,
    SIZES,
    SIZES,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_size_t,
    ctypes.c_int,
)


class Shares:
    """Takes the place of Numba's threads: runs the shares of each parallel loop one after the other.

    Attributes
    ----------
    seeing : range
        Numbers of the shares that see the values as they are; the others see `VEIL` in their place.
    values : ndarray of float
    loops : int
        How many parallel loops ran.
    """

    def __init__(self) -> None:
        self.seeing, self.values, self.loops = range(THREADS), np.zeros(0), 0
        self.callback = LOOP(self._loop)

    def _loop(self, kernel, arrays, counts, steps, data, inner, array_count, threads):
        """The loop as Numba's own threads run it (numba/np/ufunc/workqueue.c), without threads."""
        self.loops += 1
        one = (ctypes.c_size_t * (inner + 1))(1, *counts[1 : inner + 1])
        for share in range(counts[0]):
            places = (arrays[i] + share * steps[i] for i in range(array_count))
            mine = (ctypes.c_size_t * array_count)(*places)
            with self._view(share), suppress(BaseException):  # a thread loses its exceptions as well
                KERNEL(kernel)(mine, one, steps, data)

    @contextmanager
    def _view(self, share):
        """Have the values be what this share may see."""
        if share in self.seeing:
            yield
            return
        kept = self.values.copy()
        self.values[...] = VEIL
        try:
            yield
        finally:
            self.values[...] = kept

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have parallel loops that are compiled and run meanwhile come here, cut into `THREADS` shares."""
        threads = numba.get_num_threads()
        numba.set_num_threads(threads)  # has Numba load its threads
        real = llvmlite.binding.address_of_symbol(SYMBOL)
        llvmlite.binding.add_symbol(SYMBOL, ctypes.cast(self.callback, ctypes.c_void_p).value)
        parallel._set_num_threads(
            THREADS
        )  # which the public function refuses where there are fewer processors
        try:
            yield
        finally:
            parallel._set_num_threads(threads)
            llvmlite.binding.add_symbol(SYMBOL, real)


@functools.cache
def _shares(trial):
    """The shares of a trial, kept for good: machine code has the address of their callback."""
    return Shares()


def _result(result, *args):
    return result


@dataclass(frozen=True)
class SharesTheWork(Requirement):
    """The result is made in parallel loops, and no share of them alone makes it.

    Attributes
    ----------
    examples : callable
        () -> iterable of argument tuples; the first argument is an array whose values the result depends on, and
        more than one share of it in some example.
    made : callable
        (result, *arguments after the call) -> what must be made by several threads.
    """

    examples: Callable
    made: Callable = _result

    name = "shared among threads"

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher) or Parallel().of_code(trial):
            return None  # `Compiled` or `Parallel` has said so
        shares = _shares(trial)
        with shares.in_place(), hardly_optimised():
            return self.finding(self._fault(rebuilt(trial.answer), trial, shares))

    def _fault(self, copy, trial, shares):
        """What is wrong, in a sentence; empty if nothing is."""
        whole = self._results(copy, trial, shares, range(THREADS))
        if not shares.loops:
            return "no parallel loop runs in it: the threads get nothing to do"
        if self._same(self._results(copy, trial, shares, range(0)), whole):
            return "its parallel loops do not make the result: whatever they see, it is the same"
        for share in range(THREADS):
            if self._same(self._results(copy, trial, shares, range(share, share + 1)), whole):
                others = f"where the {THREADS - 1} other ones see other values"
                return f"one of {THREADS} threads does all the work: {others}, the result is the same"
        return ""

    def _results(self, copy, trial, shares, seeing):
        """What is made of each example where only these shares see its values."""
        return [self._of_one(copy, trial.copies(args), shares, seeing) for args in self.examples()]

    def _of_one(self, copy, args, shares, seeing):
        shares.seeing, shares.values = seeing, args[0]
        try:
            return self.made(copy(*args), *args)
        except Exception as error:  # of values that it should not see
            return type(error).__name__

    def _same(self, some, whole):
        return not any(difference(*pair, 1e-12, "the result") for pair in zip(some, whole, strict=True))
