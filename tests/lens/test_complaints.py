"""Who complains of a call: the station, the line and the reason, for errors that the installed Numba makes."""

import inspect
import sys

import numpy as np
import pytest
from numba import njit

from numba_course.lens import complaints, errors
from numba_course.lens.complaints import STATIONS


def total(a, b):
    return a + b


def point(x):
    class Point:
        pass


def squares(values):
    return sum(v * v for v in values)


def middle(values):
    return values.median()


def misspelt(values):
    return valeus  # noqa: F821


def lookup(table):
    return table["a"]


def words(texts):
    return np.array(texts).size


def half(x):
    return np.float16(x)


def above(image):
    return image[image > 0]


def same(one, other):
    return one is other


def ragged(x):
    return np.array([[1, 2], [x]])


def checked(x):
    if x < 0:
        raise ValueError("x must not be negative")
    return x


@njit
def calls_middle(values):
    return njit_middle(values)


@njit
def njit_middle(values):
    return values.median()


ROW, RECORDS = np.ones(3), np.zeros(2, "i4,f8")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Python 3.13, from Numba: a generator
@pytest.mark.parametrize(
    ("call", "station", "kind", "text"),
    [
        ((total, 1), "reading", "TypeError", ""),
        ((total, [], 1), "reading", "ValueError", ""),
        ((point, 1), "reading", "UnsupportedBytecodeError", "class Point:"),
        ((squares, ROW), "reading", "UnsupportedError", "return sum(v * v for v in values)"),
        ((middle, ROW), "types", "TypingError", "return values.median()"),
        ((misspelt, ROW), "types", "TypingError", "return valeus  # noqa: F821"),
        ((lookup, {"a": 1}), "types", "TypingError", "def lookup(table):"),
        ((words, ["a"]), "types", "TypingError", "return np.array(texts).size"),
        ((calls_middle, ROW), "types", "TypingError", "return values.median()"),
        ((half, 1), "machine code", "NotImplementedError", ""),
        ((above, np.ones((2, 2))), "machine code", "AssertionError", ""),
        ((same, RECORDS[0], RECORDS[1]), "machine code", "LoweringError", "return one is other"),
        ((ragged, 3), "run", "ValueError", ""),
        ((checked, -1), "run", "ValueError", 'raise ValueError("x must not be negative")'),
        ((checked, 1), "no error", "", ""),
    ],
)
def test_station_kind_and_line_of_a_call(call, station, kind, text):
    one = complaints.complaints(call).all[0]
    source = inspect.getsource(sys.modules[__name__]).splitlines()
    assert (one.station, one.kind) == (station, kind)
    assert (source[one.line - 1].strip() if one.line else "") == text
    assert bool(one.signatures) == (station in ("run", "no error"))


def test_a_function_that_was_compiled_before_is_compiled_afresh_and_not_altered():
    compiled = njit("float64(float64)")(checked)
    assert complaints.complaints((compiled, -1)).all[0].signatures[0][0].name == "int64"
    assert len(compiled.signatures) == 1


def test_message_is_whole_but_for_addresses_and_places_in_numba():
    told = complaints.complaints((words, ["a"])).all[0].told
    assert told.startswith(
        "TypingError: Failed in nopython mode pipeline (step: nopython frontend)\nNo implem"
    )
    assert 'File "…/numba/np/arrayobj.py", line …:' in told and "0x…" in complaints.message(
        ValueError("0x12345678")
    )
    assert "Overload in function 'impl_np_array': File: …/numba/np/arrayobj.py: Line …." in told


def test_a_lowering_error_names_its_line():
    with pytest.raises(errors.errors.LoweringError) as caught:
        njit(same)(*RECORDS)
    assert errors.line_of(caught.value) == inspect.getsourcelines(same)[1] + 1


def test_names_that_numba_has_made_are_shortened():
    told = complaints.complaints((same, *RECORDS)).all[0].told
    assert 'During: lowering "$… = one is other" at ' in told


def test_the_table_folds_long_messages_and_counts_lines():
    found = complaints.complaints((middle, ROW), (half, 1), (checked, 1))
    assert repr(found).endswith("errors that name a line: 1 of 2")
    assert found._repr_html_().count("<details") == 1
    assert [one.station for one in found.all] == [STATIONS[1], STATIONS[2], "no error"]
