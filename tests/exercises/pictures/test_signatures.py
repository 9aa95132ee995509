"""What the pictures of chapter 03 say of where the elements of an array lie, and of who takes it."""

import numpy as np
import pytest

from numba_course.exercises.pictures import signatures as pictures

TABLE = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    "array", [TABLE, TABLE.T, TABLE[:, ::2], TABLE[::-1], TABLE.ravel()[::-2], TABLE[:1]]
)
def test_each_element_lies_where_its_address_is(array):
    where = pictures.places(array)
    indices = list(np.ndindex(array.shape))
    addresses = [array[(*index[:-1], slice(index[-1], index[-1] + 1))].ctypes.data for index in indices]
    found = [where.elements[(address - min(addresses)) // array.itemsize] for address in addresses]
    assert found == indices
    assert sum(index is not None for index in where.elements) == array.size


def test_gaps_and_letters():
    assert pictures.places(TABLE[:, ::2]).elements == ((0, 0), None, (0, 1), (1, 0), None, (1, 1))
    letters = [
        pictures.places(array).layout for array in (TABLE, TABLE.T, TABLE[:, :2], TABLE[::-1], TABLE[:1, ::3])
    ]
    assert letters == ["C", "F", "A", "A", "C"]


def test_a_picture_says_order_and_who_takes_each_array():
    figure = pictures.layouts(
        {"rows": TABLE[:, :2], "columns": TABLE[:2, :2].copy("F")}, "float64[::1, :]", "float64[:, :]"
    )
    assert figure.alt == (
        "rows, layout A, in memory: [0, 0], [0, 1], not in the array, [1, 0], [1, 1]. "
        "Taken by float64[:, :] of 2. "
        "columns, layout F, in memory: [0, 0], [1, 0], [0, 1], [1, 1]. "
        "Taken by float64[::1, :], float64[:, :] of 2."
    )


def test_a_picture_without_signatures_says_nothing_of_any():
    assert pictures.layouts({"two": np.zeros(2)}).alt == "two, layout C, in memory: [0], [1]."


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros(0), "at least one element"),
        (np.zeros(99), "at most 24 places, not in 99"),
        (np.broadcast_to(1.0, (2, 2)), "one whole place for each element"),
        (np.zeros(3, [("a", "i4"), ("b", "f8")])["b"], "one whole place for each element"),
    ],
)
def test_what_cannot_be_drawn_is_refused(array, words):
    with pytest.raises(ValueError, match=words):
        pictures.layouts({"array": array})


def test_no_arrays_are_refused():
    with pytest.raises(ValueError, match="at least one array"):
        pictures.layouts({})
