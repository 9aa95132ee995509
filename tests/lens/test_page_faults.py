"""Page faults of a call: one for each page that is touched for the first time, none for pages that are there."""

import mmap

import numpy as np
import pytest

from numba_course.lens import page_faults

PAGES = 500


@pytest.fixture
def memory():
    """An array over pages that nobody has touched, each on its own: without the large pages of Linux."""
    fresh = mmap.mmap(-1, PAGES * mmap.PAGESIZE)
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        fresh.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(fresh, np.uint8)


def touch(array):
    """Write one byte into each page."""
    array[:: mmap.PAGESIZE] = 1


def test_a_page_that_is_touched_first_is_a_fault_and_later_it_is_none(memory):
    assert page_faults.count(touch, memory) >= PAGES
    assert page_faults.count(touch, memory) < PAGES // 10


def test_what_the_function_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        page_faults.count(lambda: 1 // 0)
