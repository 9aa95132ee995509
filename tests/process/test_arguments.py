"""Copies of arguments: the same layout and the same overlaps, shared with nothing, and no raw pointers."""

import numpy as np
import pytest
from numba import njit

from numba_course.process.arguments import Copies, pack, unpack


def copy(*args):
    return unpack(pack(args))


@pytest.mark.parametrize(
    "make",
    [lambda a: a[::2, ::-1], lambda a: a.T, lambda a: a[1:3], lambda a: a[:, 1], lambda a: a[:0]],
    ids=["strided", "transposed", "rows", "column", "empty"],
)
def test_a_copy_keeps_layout_and_shares_nothing(make):
    original = make(np.arange(20.0).reshape(4, 5))
    (new,) = copy(original)
    np.testing.assert_array_equal(new, original)
    assert (new.strides, new.dtype) == (original.strides, original.dtype)
    assert not np.shares_memory(new, original)
    assert new.flags.writeable
    original.flags.writeable = False
    assert not copy(original)[0].flags.writeable


def test_arguments_that_overlap_still_do():
    data = np.arange(10.0)
    ahead, behind, (inside,), apart = copy(data[1:], data[:-1], [data[3:5]], data.copy())
    ahead[2] = -1.0
    assert behind[3] == inside[0] == -1.0 and apart[3] == 3.0
    assert data[3] == 3.0


def test_copies_of_arrays_that_lie_apart_leave_space_for_one_more_of_their_size():
    size = 1000
    packed = pack(tuple(np.ones(size) for _ in range(6)))
    between = [bytes(8 * size) for _ in range(40)]
    del between[::2]  # room for the contents, so that the copies would be neighbours
    starts = np.sort([array.ctypes.data for array in unpack(packed)])
    assert np.diff(starts).min() >= 2 * 8 * size


def test_a_copy_is_aligned_as_the_original():
    misaligned = np.zeros(17, np.uint8)[1:].view(np.float64)
    assert not copy(misaligned)[0].flags.aligned
    assert copy(np.zeros(2))[0].flags.aligned


class Tagged(np.ndarray):
    """A subclass with an array of its own."""


@pytest.mark.parametrize(
    "original",
    [
        np.array([None, "text", {"a": 1}], dtype=object),
        np.array([(1.5, "x"), (2.5, None)], dtype=[("number", float), ("object", object)]),
        np.ma.MaskedArray([1, 2, 3], mask=[False, True, False]),
        np.arange(3).view(Tagged),
    ],
    ids=["objects", "objects in records", "masked", "subclass"],
)
def test_an_array_that_is_more_than_its_bytes_is_copied_in_its_own_way(original):
    (new,) = copy(original)
    assert type(new) is type(original) and new.dtype == original.dtype
    assert new.tolist() == original.tolist() and not np.shares_memory(new, original)
    if original.dtype == object:
        assert new[2] is not original[2]


def test_records_stay_records():
    records = np.rec.array([(1, 2.0), (3, 4.0)], dtype=[("a", "i4"), ("b", "f8")])
    (new,) = copy(records)
    assert isinstance(new, np.recarray) and new.b.tolist() == [2.0, 4.0]


def test_what_cannot_be_copied_is_told():
    with pytest.raises(
        TypeError, match="the arguments cannot be copied: an object of type 'generator' stays"
    ):
        pack(((i for i in range(3)),))
    with pytest.raises(
        TypeError, match="the arguments cannot be copied: an object of type 'generator' stays"
    ):
        pack((np.array([(i for i in range(3))], dtype=object),))


def test_a_function_keeps_the_name_of_its_file():
    names = {}
    exec(compile("def f(): pass", "cell.py", "exec"), names)
    (copy,) = unpack(pack((names["f"],)))
    assert copy.__code__.co_filename == "cell.py"


def test_copies_are_of_the_same_types_and_arrays_are_new():
    copies = Copies(pack(((njit(abs_of), np.zeros(3)), {"by": np.ones(2)})))
    (function, values), named = copies()
    (again, others), more = copies()
    assert function is again and function(-2.0) == 2.0 and len(again.signatures) == 1
    assert others is not values and more["by"] is not named["by"]


def abs_of(x):
    return abs(x)
