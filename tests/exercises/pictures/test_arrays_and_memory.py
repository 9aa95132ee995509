"""What the pictures of chapter 05 say of the objects that they are drawn from."""

import numpy as np
import pytest

from numba_course import kernels
from numba_course.exercises.pictures import arrays_and_memory as pictures


def test_weights_are_those_of_the_four_pixels_around_the_centre():
    weights = pictures.weights_of(kernels.bilinear_resize, (3, 3), (2, 2), (0, 0))
    assert weights.tolist() == [[0.5625, 0.1875, 0], [0.1875, 0.0625, 0], [0, 0, 0]]
    corner = pictures.weights_of(kernels.bilinear_resize, (2, 2), (4, 4), (3, 3))
    assert corner.tolist() == [[0, 0], [0, 1]]


def test_weights_are_those_of_the_function_that_is_given():
    nearest = pictures.weights(lambda image, height, width: image[:height, :width])
    assert nearest.alt.endswith("The new pixel (0, 0) takes 1 of (0, 0).")


def test_a_pixel_that_there_is_not_is_refused():
    with pytest.raises(IndexError):
        pictures.weights(kernels.bilinear_resize, pixel=(2, 0))


def test_a_ring_says_which_batch_lies_where_another_was():
    slots = np.empty((2, 3))
    figure = pictures.ring([slots[k % 2] for k in range(5)])
    assert figure.alt == (
        "5 batches in 2 places: batch 2 lies where batch 0 was; batch 3 lies where batch 1 was; "
        "batch 4 lies where batch 2 was."
    )
    assert pictures.ring(list(slots)).alt == "2 batches in 2 places: each has its own."


def test_page_faults_are_told_in_brackets_and_as_many_calls_of_each():
    assert "new ⟨9, 8⟩; old ⟨7, 0⟩" in pictures.page_faults({"new": [9, 8], "old": [7, 0]}).alt
    with pytest.raises(ValueError, match="same number of calls for each name, not \\[1, 2\\]"):
        pictures.page_faults({"new": [9], "old": [7, 0]})


def test_photographs_of_other_sizes_stand_side_by_side():
    figure = pictures.photographs({"tall": np.zeros((4, 2)), "wide": np.ones((1, 3))}, "Two images.")
    assert figure.png and figure.alt == "Two images."


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match="at least one batch"):
        pictures.ring([])


def test_a_window_is_the_end_of_a_block_and_the_beginning_of_the_next():
    values = np.array([2.0, 7.0, 1.0, 8.0, 2.0, 8.0, 5.0])
    assert pictures.windows(values, 3).alt.endswith(": 10; 8 + 8 = 16; 1 + 10 = 11; 18; 10 + 5 = 15.")
    assert pictures.windows(values[:2], 1).alt.endswith(": 2; 7.")
    values[1] = np.nan
    assert pictures.windows(values, 3).alt.endswith(": nan; nan + 8 = nan; 1 + 10 = 11; 18; 10 + 5 = 15.")


@pytest.mark.parametrize("window", [0, 3])
def test_a_window_that_there_is_not_is_refused(window):
    with pytest.raises(ValueError, match=f"window must be from 1 to 2, not {window}"):
        pictures.windows(np.ones(2), window)
