"""Functions with `prange` whose verdict is known: races that people reported, and valid programs like them.

Each function carries its case in `case`: the arguments of a small call, the verdict, and for a race what collides.
Numbers such as numba#3681 are issues of Numba where it was reported.
"""

from types import SimpleNamespace

import numba as nb
import numpy as np
from numba import njit, prange
from numba.typed import Dict, List

CASES = []
UP = np.arange(8.0)
BINS = np.array([0, 1, 3, 2, 3, 3])
SQUARE = np.arange(16.0).reshape(4, 4)


def case(verdict, *args, says=()):
    """Make a parallel function of it and keep it with the arguments of a call."""

    def keep(function):
        dispatcher = function if hasattr(function, "py_func") else njit(parallel=True)(function)
        says_all = (says,) if isinstance(says, str) else says
        CASES.append(SimpleNamespace(fn=dispatcher, args=args, verdict=verdict, says=says_all))
        return dispatcher

    return keep


def race(*args, says):
    return case("race", *args, says=says)


def valid(*args):
    return case("none found", *args)


def unchecked(*args, says):
    return case("not checked", *args, says=says)


# One element for all: the commonest race. numba#3681, #3522, #7133, #4170 and the section of Numba's manual on
# reducing into slices or elements of an array; Stack Overflow 56556416 and 72594592.


@race(BINS, np.zeros(4, int), says="iterations 2 and 4 both write counts[3] (line")
def histogram(data, counts):
    for i in prange(len(data)):
        b = data[i]
        counts[b] += 1


@valid(BINS, 4)
def histogram_by_worker(data, bins):
    workers, n = 3, len(data)
    counts = np.zeros((workers, bins), np.int64)
    for w in prange(workers):
        for i in range(w * n // workers, (w + 1) * n // workers):
            counts[w, data[i]] += 1
    return counts


@race(BINS, 4, says="both write own[")
def histogram_by_worker_with_shared_scratch(data, bins):
    workers, n = 3, len(data)
    counts, own = np.zeros((workers, bins), np.int64), np.zeros(bins, np.int64)
    for w in prange(workers):
        own[:] = 0
        for i in range(w * n // workers, (w + 1) * n // workers):
            own[data[i]] += 1
        counts[w] = own
    return counts


@race(SQUARE, says="iterations 0 and 1 both write y[0, 1]")
def numba_3681(x):
    n = x.shape[0]
    y = np.zeros_like(x)
    for i in prange(n):
        for j in range(n):
            if i == j:
                continue
            y[0, 1] += x[i, j]
    return y


@race(says=("vector[0]", "vector[1]"))
def numba_7133():
    vector = np.zeros(2)
    for i in prange(2):
        for j in range(2):
            vector[j] += 1
            vector[i] += 1
    return vector


@race(UP, says="iterations 0 and 1 both write y[0] (line")
def manual_slice(x):
    y = np.zeros(4)
    for i in prange(x.shape[0]):
        y[:] += x[i]
    return y


@race(UP, says="iterations 0 and 4 both write y[0] (line")
def manual_element(x):
    y = np.zeros(4)
    for i in prange(x.shape[0]):
        y[i % 4] += x[i]
    return y


@valid(UP)
def manual_whole_array(x):
    y = np.zeros(4)
    for i in prange(x.shape[0]):
        y += x[i]
    return y


@valid(UP)
def manual_view_made_before_the_loop(x):
    y = np.zeros((4, 2))
    column = y[:, 1]
    for i in prange(x.shape[0]):
        column += x[i]
    return y


@race(UP, says="both write y[0]")
def manual_view_made_in_the_loop(x):
    y = np.zeros(4)
    for i in prange(x.shape[0]):
        part = y[:2]
        part += x[i]
    return y


@race(says="iteration 1 reads result, which iteration 0 writes")
def numba_3069():
    result = np.zeros(1, np.int_)
    for i in prange(100):
        result = result + np.array([i], np.int_)
    return result


# One variable for all: the hand-written maximum, the search, the counter. QuantEcon's lecture-python-programming
# had the maximum (pull request 435), numba#9829 the counter.


@race(UP, says="iteration 1 reads m (line")
def maximum_by_if(x):
    m = -1.0
    for i in prange(len(x)):
        if x[i] > m:
            m = x[i]
    return m


@race(UP[::-1].copy(), says="iteration 1 reads m (line")
def maximum_by_if_of_a_falling_row(x):
    m = -1.0
    for i in prange(len(x)):
        if x[i] > m:
            m = x[i]
    return m


@valid(UP)
def maximum_by_max(x):
    m = -1.0
    for i in prange(len(x)):
        m = max(m, x[i])
    return m


@valid(SQUARE)
def row_maxima(x):
    out = np.empty(len(x))
    for i in prange(len(x)):
        m = -np.inf
        for j in range(x.shape[1]):
            if x[i, j] > m:
                m = x[i, j]
        out[i] = m
    return out


@race(UP, says=("iteration 1 reads best (line", "where is read after the loop"))
def argmax(x):
    best, where = -1.0, -1
    for i in prange(len(x)):
        if x[i] > best:
            best = x[i]
            where = i
    return best, where


@race(UP, says="where is read after the loop")
def argmax_with_a_true_reduction(x):
    best, where = -1.0, -1
    for i in prange(len(x)):
        best = max(best, x[i])
        if x[i] == 3.0:
            where = i
    return best, where


@race(UP, says="found is read after the loop")
def search(x):
    found = False
    for i in prange(len(x)):
        if x[i] == 5.0:
            found = True
    return found


@race(UP, np.zeros(8), says="iteration 1 reads k (line")
def counter(x, out):
    k = 0
    for i in prange(len(x)):
        out[k] = x[i]
        k += 1
    return k


@race(np.array([1, 5]), np.array([4, 6]), 7, says="reads top")
def numba_9829(index, values, n):
    array = np.ones(n + 1, np.uint32) * 99
    for i in prange(len(index)):
        array[index[i]] = values[i]
    top = 6
    for i in prange(len(array)):
        if array[i] == 99:
            array[i] = top + 1
            top += 1
    return array


@race(UP, says="last is read after the loop")
def last_write(x):
    last = 0.0
    for i in prange(len(x)):
        last = x[i]
    return last


@race(5, says="i is read after the loop")
def index_after_the_loop(n):
    s = 0
    for i in prange(n):
        s += 1
    return s + i


@race(UP, np.zeros(8), says="iteration 1 reads previous")
def difference(x, out):
    previous = 0.0
    for i in prange(len(x)):
        out[i] = x[i] - previous
        previous = x[i]


@race(UP, np.zeros(8), says="iteration 1 reads total")
def running_sum(x, out):
    total = 0.0
    for i in prange(len(x)):
        total += x[i]
        out[i] = total


@race(10, says="iteration 1 reads a (line")
def swap(n):
    a, b, out = 0.0, 1.0, np.zeros(n)
    for i in prange(n):
        out[i] = a
        a, b = b, a
    return out


@valid(UP, np.zeros(8))
def private_variable(x, out):
    t = 5.0
    for i in prange(len(x)):
        t = x[i] * 2
        out[i] = t
    t = 0.0
    return t


@race(UP, np.zeros(8), says="iteration 1 reads t (line")
def variable_set_now_and_then(x, out):
    t = 1.0
    for i in prange(len(x)):
        if i % 3 == 0:
            t = x[i]
        out[i] = t


# Reductions that Numba knows, and what looks like one.


@valid(UP)
def all_reductions(x):
    total, product, low, high = 0.0, 1.0, np.inf, -np.inf
    for i in prange(4):
        total += x[i]
        product = product * (1 + x[i])
        low = min(x[i], low)
        high = max(high, x[i])
        if x[i] > 1:
            total = total - 1
    return total, product, low, high


@valid(UP, SQUARE)
def reductions_of_numbers_and_rows(x, rows):
    total, acc = 0.0, np.zeros(4)
    for i in prange(4):
        total += x[i]
        acc -= rows[i]
    return total, acc


@valid(6)
def reduction_in_inner_loops(n):
    s = 0
    for i in prange(n):
        for j in prange(n):
            if i != j:
                s += 1
    return s


@valid(UP, np.zeros(4))
def reduction_into_an_argument(x, out):
    for i in prange(len(x)):
        out += x[i]


@valid(UP)
def reduction_by_way_of_another_name(x):
    s = 0.0
    for i in prange(len(x)):
        t = s
        t += x[i]
        s = t
    return s


@race(UP, says="iteration 1 reads s")
def mixed_operators_in_branches(x):
    s = 1.0
    for i in prange(len(x)):
        if i == 5:
            s = s + 1
        else:
            s = s * 2.0
    return s


@race(UP, says="iteration 1 reads s")
def reduction_that_steers_the_loop(x):
    s = 0.0
    for i in prange(len(x)):
        if s < 10:
            s += x[i]
    return s


@race(UP, np.zeros(4), np.zeros(8), says="reads acc[0]")
def reduction_read_under_another_name(x, acc, out):
    view = acc[:1]
    for i in prange(len(x)):
        acc += x[i]
        out[i] = view[0]


@unchecked(UP, says="Numba does not compile it: ")
def reversed_operands(x):
    s = 0.0
    for i in prange(len(x)):
        s = x[i] + s
    return s


@unchecked(UP, says="Numba does not compile it: ValueError: Use of reduction variable s in an unsupported")
def maximum_by_numpy(x):
    s = 0.0
    for i in prange(len(x)):
        s = np.maximum(s, x[i])
    return s


@unchecked(10, says="Numba does not compile it: Only constant step size of 1 is supported for prange")
def step_of_two(n):
    s = 0
    for i in prange(0, n, 2):
        s += 1
    return s


# Neighbours: reading what another iteration writes.


@race(UP, says="iteration 2 reads a[1], which iteration 1 writes")
def shift_left_to_right(a):
    for i in prange(1, len(a)):
        a[i] = a[i - 1]


@race(UP, says="iteration 0 reads a[1], which iteration 1 writes")
def shift_right_to_left(a):
    for i in prange(len(a) - 1):
        a[i] = a[i + 1]


@valid(UP, np.zeros(8))
def shift_into_another(a, b):
    for i in prange(1, len(a)):
        b[i] = a[i - 1]


@race(SQUARE, says="grid[1, 1]")
def relaxation_in_place(grid):
    for i in prange(1, grid.shape[0] - 1):
        for j in range(1, grid.shape[1] - 1):
            grid[i, j] = (grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1]) / 4


@valid(SQUARE)
def numba_7854_checkerboard(grid):
    for colour in range(2):
        for i in prange(1, grid.shape[0] - 1):
            for j in range(1, grid.shape[1] - 1):
                if (i + j) % 2 == colour:
                    grid[i, j] = grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1] + 1


@race(UP, says="iterations 0 and 1 both write a[1]")
def overlapping_blocks(a):
    for i in prange(len(a) - 1):
        a[i : i + 2] = i


@valid(UP)
def adjoining_blocks(a):
    for i in prange(4):
        a[2 * i : 2 * i + 2] = i


@valid(UP)
def numba_8515_one_loop_after_the_other(x):
    counters, results = np.zeros(8), np.zeros(8)
    for i in prange(8):
        counters[i] += x[i]
    for i in prange(8):
        if i > 0:
            results[i] = counters[i] - counters[i - 1]
    return results


@valid(10, 2)
def numba_5942(d, k):
    a, b = np.zeros((d, k), np.int32), np.zeros((d, k), np.int32)
    for i in prange(d):
        for n in range(k):
            a[i, n] = i
        b[i, :] = a[i, :]
        b[i, 0] += 1
    return b


# Scratch space: numba#2997 asks for what is shared when it is made before the loop.


@race(SQUARE, np.zeros(4), says="both write scratch[0]")
def scratch_made_before(x, out):
    scratch = np.empty(4)
    for i in prange(4):
        scratch[:] = x[i]
        scratch.sort()
        out[i] = scratch[0]


@valid(SQUARE, np.zeros(4))
def scratch_made_inside(x, out):
    for i in prange(4):
        scratch = np.empty(4)
        scratch[:] = x[i]
        scratch.sort()
        out[i] = scratch[0]


@valid(BINS, 4)
def scratch_by_thread(data, bins):
    own = np.zeros((nb.get_num_threads(), bins), np.int64)
    for i in prange(len(data)):
        own[nb.get_thread_id(), data[i]] += 1
    return own


@race(BINS, 4, says="counts[3]")
def thread_number_asked_for_and_not_used(data, bins):
    own, counts = np.zeros(nb.get_num_threads()), np.zeros(bins)
    for i in prange(len(data)):
        own[nb.get_thread_id()] += 1
        counts[data[i]] += 1
    return own, counts


@race(np.array([3, 0, 1, 2, 3]), 4, says="iterations 0 and 4 both write counts[3]")
def only_iterations_of_one_simulated_thread_collide(data, bins):
    own, counts = np.zeros(nb.get_num_threads()), np.zeros(bins)
    for i in prange(len(data)):
        own[nb.get_thread_id()] += 1
        counts[data[i]] += 1
    return own, counts


# Views, and arguments that are the same memory.


@race(UP, UP, says="iteration 2 reads a[1], which iteration 1 writes")
def same_array_twice(a, b):
    for i in prange(1, len(a)):
        a[i] = b[i - 1]


_OVERLAP = np.arange(9.0)


@race(_OVERLAP[:-1], _OVERLAP[1:], says="iteration 1 reads a[1], which iteration 0 writes")
def overlapping_arguments(a, b):
    for i in prange(len(a)):
        b[i] = a[i]


@race(SQUARE, says="a[1, 0]")
def through_a_transpose(a):
    t = a.T
    for i in prange(4):
        for j in range(i + 1):
            t[j, i] = i
            a[i, j] = j
            t[0, 1] = 3


@valid(SQUARE)
def upper_by_transpose_lower_by_index(a):
    t = a.T
    for i in prange(4):
        for j in range(i):
            a[i, j] = j
            t[i, j] = i


@race(UP, says="iterations 0 and 1 both write a[4]")
def reshaped(a):
    flat, square = a, a.reshape(2, 4)
    for i in prange(2):
        flat[i] = 1.0
        square[1, 0] = 2.0


@race(np.zeros(4, np.int64), says="a[0]")
def bytes_of_an_element(a):
    b = a.view(np.uint8)
    for i in prange(8):
        b[i] = i
        if i == 0:
            a[0] = 1


@valid(np.zeros(4, np.int64))
def other_bytes(a):
    b = a.view(np.uint8)
    for i in prange(32):
        b[i] = i


@race(np.zeros(4, np.complex128), says="a[0]")
def real_parts(a):
    re = a.real
    for i in prange(4):
        a[i] = 1j
        re[0] = 2


_FIELDS = np.zeros(4, [("x", np.float64), ("n", np.int32)])


@valid(_FIELDS)
def fields_of_records(r):
    for i in prange(8):
        if i < 4:
            r[i].x = 1.0
        else:
            r["n"][i - 4] = 2


@race(_FIELDS, says="both write r['n'][0]")
def one_field_of_a_record(r):
    for i in prange(4):
        r[i].x = 1.0
        r[0].n += 1


# What calls do: NumPy, compiled functions, closures, functions that are parallel themselves.


@race(SQUARE, says="reads x[1, 0]")
def whole_array_is_read(x):
    for i in prange(4):
        x[i, 0] = x.sum()


@valid(SQUARE, np.zeros((4, 4)))
def rows_by_numpy(x, out):
    for i in prange(4):
        np.add(x[i], 1.0, out[i])
        out[i] += np.exp(x[i]) * len(x) + x.shape[0]
        out[i].sort()


@race(SQUARE, np.zeros(4), says="iterations 0 and 1 both write out[0]")
def written_by_numpy(x, out):
    for i in prange(4):
        np.add(x[i], 1.0, out)


@valid(UP, np.zeros(8))
def boolean_and_fancy_indices(x, out):
    for i in prange(4):
        pick = np.array([i, 7 - i])
        out[pick] = x[pick]
        out[x == i] += 1.0


@race(UP, np.zeros(8), says="iterations 0 and 1 both write out[3]")
def fancy_index_that_overlaps(x, out):
    for i in prange(4):
        out[np.array([i, 3])] = x[i]


@njit
def bump(array, k):
    array[k] += 1


@race(BINS, np.zeros(4, int), says="iterations 2 and 4 both write counts[3]")
def in_a_callee(data, counts):
    for i in prange(len(data)):
        bump(counts, data[i])


@valid(UP)
def in_a_callee_of_its_own(x):
    for i in prange(len(x)):
        bump(x, i)


@race(UP, np.zeros(2), says="both write out[0]")
def in_a_closure(x, out):
    def add(k, value):
        out[k] += value

    for i in prange(len(x)):
        add(0, x[i])


@njit(parallel=True)
def parallel_fill(row, value):
    for j in prange(len(row)):
        row[j] = value


@njit(parallel=True)
def parallel_shift(row):
    for j in prange(1, len(row)):
        row[j] = row[j - 1]


@valid(SQUARE)
def nested_parallel_rows(x):
    for i in prange(4):
        parallel_fill(x[i], i)
        parallel_fill(x[i], i + 1)


@race(SQUARE, says="iterations 0 and 1 both write x[0, 0]")
def nested_parallel_same_row(x):
    for i in prange(4):
        parallel_fill(x[0], i)


@case("race", SQUARE, says="iteration 2 reads x[0, 1], which iteration 1 writes")
@njit
def race_in_a_parallel_callee_only(x):
    for i in range(4):
        parallel_shift(x[i])


# Containers. numba#2408, #4206, #6859, #7126: append; numba#8767: dict; numba#4294: entries of a list are fine.


@race(5, says="iterations 0 and 1 both write z (line")
def list_append(n):
    z = [0]
    for i in prange(n):
        z.append(i)
    return z


@race(SQUARE, says="both write z (line")
def typed_list_append(x):
    z = List()
    for i in prange(4):
        z.append(x[i])
    return z


@valid(UP)
def numba_4294(x):
    buffers = [np.zeros_like(x) for _ in range(4)]
    for i in prange(4):
        buffers[i] = x + i
    return buffers


@race(List([0, 0, 0]), says="iterations 0 and 1 both write items[0]")
def one_item(items):
    for i in prange(3):
        items[0] = i


@race(5, says="both write d (line")
def dict_insert(n):
    d = Dict.empty(nb.int64, nb.int64)
    for i in prange(n):
        d[i] = i
    return d


@valid(UP)
def dict_read(x):
    d = {0: 1.0, 1: 2.0}
    s = 0.0
    for i in prange(len(x)):
        s += d[i % 2]
    return s


@race(np.random.default_rng(1), np.zeros(4), says="both write rng")
def one_random_generator(rng, out):
    for i in prange(4):
        out[i] = rng.random()


@valid(np.zeros(4))
def random_numbers_of_the_thread(out):
    for i in prange(4):
        out[i] = np.random.random()


# What cannot be checked, with the reason.


@unchecked(UP, says="Numba did not make the prange loop on line")
def loop_with_break(x):
    s = 0.0
    for i in prange(len(x)):
        if x[i] > 3:
            break
        s += x[i]
    return s


@case("not checked", UP, says="it is compiled without parallel=True, so prange is range")
@njit
def not_parallel(x):
    for i in prange(1, len(x)):
        x[i] = x[i - 1]


@case("none found", UP, says="an array expression of line")
def no_prange(x):
    return x + 1


@case("not checked", UP, says="nothing of it runs in parallel for this input")
def nothing_parallel(x):
    return x[0] + 1


@unchecked(UP[:1], says="no parallel loop ran more than one iteration for this input")
def one_iteration(x):
    for i in prange(len(x)):
        x[0] += 1


@unchecked(UP, says="the function raised IndexError: index 8 is out of bounds for axis 0 with size 8 on line")
def out_of_bounds(x):
    for i in prange(len(x)):
        x[i] = x[i] + 1 if i < 7 else x[i + 1]


@unchecked(UP, says="give it a smaller input: it was stopped after 1 iteration of the loop on line")
def too_long(x):
    for i in prange(len(x)):
        k = 0
        while k < 1e9:
            k += 1
        x[i] = k


@unchecked(UP, says="is not understood")
def python_objects(x):
    for i in prange(len(x)):
        with nb.objmode():
            x[i] = 1
