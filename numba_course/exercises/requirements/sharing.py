"""A requirement on parallel loops: that most of the work is done in them, and by more than one thread."""

from __future__ import annotations

import ctypes
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import llvmlite.binding
import numba
from numba.core.dispatcher import Dispatcher
from numba.np.ufunc import parallel

from numba_course.exercises.requirements import Requirement
from numba_course.exercises.requirements.structure import starts_threads
from numba_course.lens.compiled.counting import Counters
from numba_course.lens.compiled.dispatchers import hardly_optimised, rebuilt

if TYPE_CHECKING:
    from numba_course.exercises.examination.trial import Trial
    from numba_course.exercises.examination.verdict import Finding

THREADS = 4  # simulated, on any machine
MOST = 0.5  # of the operations must be done in parallel loops
ONE = 0.9  # of those that are, so many may be done by one share
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
    loops : int
        How many parallel loops ran.
    counters : Counters
        Of the code that is compiled while it is in place.
    done : Counter
        From the number of each share to the operations on floats that it did.
    """

    def __init__(self) -> None:
        self.loops, self.counters, self.done = 0, Counters(), Counter[int]()
        self.callback = LOOP(self._loop)

    def _loop(self, kernel, arrays, counts, steps, data, inner, array_count, threads):
        """The loop as Numba's own threads run it (numba/np/ufunc/workqueue.c), without threads."""
        self.loops += 1
        one = (ctypes.c_size_t * (inner + 1))(1, *counts[1 : inner + 1])
        for share in range(counts[0]):
            places = (arrays[i] + share * steps[i] for i in range(array_count))
            mine = (ctypes.c_size_t * array_count)(*places)
            before = self.counters.total()
            with suppress(BaseException):  # a thread loses its exceptions as well
                KERNEL(kernel)(mine, one, steps, data)
            self.done[share] += self.counters.total() - before

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
            with self.counters.counting():
                yield
        finally:
            parallel._set_num_threads(threads)
            llvmlite.binding.add_symbol(SYMBOL, real)


@functools.cache
def _shares(trial):
    """The shares of a trial, kept for good: machine code has the address of their callback."""
    return Shares()


@dataclass(frozen=True)
class SharesTheWork(Requirement):
    """Most operations on floats are done in parallel loops, and no share of them alone does nearly all.

    Attributes
    ----------
    examples : callable
        () -> iterable of argument tuples: calls with work for several threads.
    """

    examples: Callable

    name = "shared among threads"
    apart = True

    def of_code(self, trial: Trial) -> Finding | None:
        if not isinstance(trial.answer, Dispatcher):
            return None  # `Compiled` has said so
        shares = _shares(trial)
        with shares.in_place(), hardly_optimised():
            copy = rebuilt(trial.answer)
            for args in self.examples():
                with suppress(Exception):  # of an answer that is told otherwise
                    copy(*trial.copies(args))
        if not starts_threads(copy):
            return None  # `Parallel` has said so
        return self.finding(self._fault(shares))

    def _fault(self, shares):
        """What is wrong, in a sentence; empty if nothing is."""
        if not shares.loops:
            return "no parallel loop runs in it: the threads get nothing to do"
        everything, shared = shares.counters.total(), shares.done.total()
        if everything and shared <= MOST * everything:
            alone = f"one thread alone does {everything - shared} of {everything} operations on floats"
            return f"{alone}: more than half of them must be done in parallel loops"
        most = max(shares.done.values(), default=0)
        if most > ONE * shared:
            return (
                f"one of {THREADS} threads does nearly all the work: {most} of {shared} operations on floats"
            )
        return ""
