"""The table of NumPy support says what it found out: yes, no, or that the result differs."""

import pytest

from numba_course.workbook import numpy_support


@pytest.mark.parametrize(
    ("expression", "expected", "verdict"),
    [
        ("a.sum()", "a.sum()", "yes"),
        ("a.sum()", "a.max()", "DIFFERS"),
        ("a[:1]", "a.sum()", "DIFFERS"),
        ("a[[0]]", "a[[0]]", "no"),
    ],
)
def test_a_verdict_is_found_out(expression, expected, verdict):
    assert numpy_support.fate(expression, expected, "1-D") == verdict


def test_a_replacement_is_tried_only_where_it_is_needed(monkeypatch):
    entries = (
        numpy_support.Entry("x", "a[[0]]", ("1-D",), "a[:2]"),
        numpy_support.Entry("x", "a[:1]", ("1-D",), "a[:2]"),
    )
    monkeypatch.setattr(numpy_support, "ENTRIES", entries)
    support = numpy_support.tried("x")
    assert [(found, instead) for _, found, instead in support.rows] == [
        ({"1-D": "no"}, "DIFFERS"),
        ({"1-D": "yes"}, ""),
    ]
    assert "a[:2]: DIFFERS" in repr(support)
    assert "0 of 1 replacements" in repr(support)


def test_an_unknown_subject_is_refused():
    with pytest.raises(ValueError, match="subject must be one of create"):
        numpy_support.tried("sorting")
