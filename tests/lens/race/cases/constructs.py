"""Programs that are long, or made of what Numba extends Python with: overloads, jitclasses, NumPy's third argument."""

import ctypes
import heapq

import numpy as np
from numba import float64, int64, literally, njit, objmode, prange
from numba.experimental import jitclass
from numba.extending import intrinsic, overload

from tests.lens.race.cases.reported import race, unchecked, valid

UP = np.arange(8.0)


def scaled(value):
    """Only compiled code has it."""


@overload(scaled)
def _scaled(value):
    return lambda value: value * 2


@jitclass([("count", int64), ("sums", float64[:])])
class Sums:
    def __init__(self, size):
        self.count = 0
        self.sums = np.zeros(size)

    def add(self, k, value):
        self.count += 1
        self.sums[k] += value


@valid(UP)
def overload_and_jitclass(a):
    out = np.zeros(len(a))
    for i in prange(len(a)):
        own = Sums(2)
        own.add(1, scaled(a[i]))
        out[i] = own.sums[1] + own.count
    return out


@race(UP, says="both write total.count")
def one_instance_for_all(a):
    total = Sums(8)
    for i in prange(len(a)):
        total.add(i, a[i])
    return total.count


@race(np.eye(4), np.zeros((1, 4)), says="iterations 0 and 1 both write out[0, 0]")
def product_into_one_row(a, out):
    for i in prange(4):
        np.dot(a[i : i + 1], a, out)


LINES = [
    f"        v{k} = v{k - 1} + {k}\n        if v{k} > {k}:\n            v{k} = v{k} - 1\n"
    for k in range(1, 30)
]
TEXT = "def a_long_body(a):\n    s = 0.0\n    for i in prange(len(a)):\n        v0 = a[i]\n"
exec(TEXT + "".join(LINES) + "        s += v29\n    return s\n", globals())
valid(UP)(njit(parallel=True)(globals()["a_long_body"]))


@valid(UP)
def heap_of_each_iteration(a):
    out = np.zeros(a.size)
    for i in prange(a.size):
        heap = [3.0, 1.0, 2.0]
        heapq.heapify(heap)
        heapq.heappush(heap, a[i])
        out[i] = heapq.heappop(heap) + heapq.heapreplace(heap, 5.0) + heapq.nlargest(1, heap)[0]
    return out


@race(UP, says="iterations 0 and 1 both write heap")
def heap_of_all_iterations(a):
    heap = [3.0]
    for i in prange(a.size):
        heapq.heappush(heap, a[i])
    return heap


times = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(abs)


@unchecked(UP, says="a call of the C function ")
def c_function(a):
    for i in prange(a.size):
        a[i] = times(a[i])


@intrinsic
def opposite(typingctx, value):
    return value(value), lambda context, builder, signature, args: builder.fneg(args[0])


@unchecked(UP, says="a call of the intrinsic opposite on line ")
def made_of_an_intrinsic(a):
    for i in prange(a.size):
        a[i] = opposite(a[i])


@unchecked(UP, says="the function raised AssertionError on line ")
def asserting(a):
    for i in prange(a.size):
        a[i] += 1
    assert a[0] < 0


@njit
def literal(value):
    return literally(value)


@valid(UP)
def a_literal(a):
    for i in prange(a.size):
        a[i] = literal(2)


def only_of_python(value):
    print(value)


@unchecked(UP, says="a call of the Python function only_of_python on line ")
def a_call_that_is_left_to_python(a):
    for i in prange(a.size):
        a[i] += 1
    with objmode:
        only_of_python(a)


@unchecked(UP, says="the function raised IndexError: list index out of range on line ")
def an_item_that_is_not_there(a):
    items = [1.0, 2.0]
    for i in prange(a.size):
        a[i] += 1
    items[int(a[1])] = 3.0
    return items


@unchecked(UP, says="a block under objmode, which Python runs, on line ")
def a_block_that_is_left_to_python(a):
    for i in prange(a.size):
        a[i] += 1
    with objmode():
        print(a)


@race(UP, says="iteration 3 reads a[0], which iteration 0 writes")
def what_is_not_in_a_set(a):
    seen = {1.0, 2.0}
    for i in prange(a.size):
        if a[i] not in seen and i not in (5, 6):
            a[i] = a[0] + 1


@valid(UP)
def bounds_of_a_range(a):
    some = range(1, a.size, 2)
    for i in prange(some.start, some.stop):
        a[i] = some.step
