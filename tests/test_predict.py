"""Predictions by name, as a notebook asks for them."""

import pytest

from numba_course import predict
from numba_course.exercises import predictions


def test_a_prediction_is_found_by_name_and_a_wrong_name_gets_a_near_one():
    assert predict.speedup is predictions.get("speedup")
    assert {"speedup", "light"} <= set(dir(predict))
    with pytest.raises(AttributeError, match=r"there is no prediction speed_up; did you mean speedup\?"):
        predict.speed_up  # noqa: B018
    assert not hasattr(predict, "__path__")
