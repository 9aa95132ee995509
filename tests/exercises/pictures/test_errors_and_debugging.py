"""What the picture of chapter 06 says of the errors that it is drawn from."""

import numpy as np
import pytest

from numba_course.exercises.pictures import errors_and_debugging as pictures
from numba_course.lens.complaints import Complaints, complaints


def middle(values):
    return values.median()


def inverse(x):
    return 1 / x


def test_each_call_stands_at_its_station_and_those_that_name_a_line_are_marked():
    figure = pictures.path(complaints((inverse, 0), (middle, np.ones(3)), (inverse, 1)))
    assert figure.png and figure.alt.endswith(
        "reading: none; types: middle*; machine code: none; run: inverse."
    )


def test_no_complaints_are_refused():
    with pytest.raises(ValueError, match="at least one complaint"):
        pictures.path(Complaints(()))
