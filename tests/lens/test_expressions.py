"""expressions: the same expression in Python and compiled; every verdict once, and NumPy's types beside Numba's."""

import math

import numpy as np
import pytest

from numba_course.lens.expressions import promotions, side_by_side

SOME, ZEROS = np.array([1.0, -1.0, 0.0]), np.zeros(3)


def test_each_verdict_with_both_results():
    found = side_by_side(
        ("a / b", SOME, ZEROS),
        ("np.isnan(a)", math.nan),
        ("a[b]", [1, 2], 5),
        ("(a, b)", 1, 2.5),
        ("1 if a else 2.5", True),
        ("(1, 2) if a else (1.5, 2.5)", True),
        ("None if a else 1", False),
        ("a * 2.0", np.float32(0.5)),
        ("a + b", np.uint8(200), np.uint8(100)),
        ("a ** b", 2, 64),
        ("a[0] / b[0]", SOME, ZEROS),
        ("math.sqrt(a)", -1.0),
        ("1 if a else 'one'", True),
        ("a % b if b else np.zeros(1)[a:].reshape(2)", 1, 0),
    )
    seen = [(row.python, row.compiled, row.verdict) for row in found.rows]
    assert seen == [
        ("[ inf -inf  nan] float64", "[ inf -inf  nan] float64", "same"),
        ("True bool", "True bool", "same"),
        ("IndexError", "IndexError", "same"),
        ("(1, 2.5)", "(1, 2.5)", "same"),
        ("1 int", "1.0 float64", "other type"),
        ("(1, 2)", "(1.0, 2.0)", "other type"),
        ("1 int", "1 OptionalType(int64)", "other type"),
        ("1.0 float32", "1.0 float64", "other type"),
        ("44 uint8", "300 uint64", "other value"),
        ("18446744073709551616 int", "0 int64", "other value"),
        ("inf float64", "ZeroDivisionError", "only compiled raises"),
        ("ValueError", "nan float64", "only Python raises"),
        ("1 int", "refused", "refused"),
        ("ValueError", "refused", "refused"),
    ]
    assert repr(found).endswith("○ 10 of 14 differ")
    assert found.rows[8].given == ("200 uint8", "100 uint8")


def test_other_errors_are_told_from_equal_ones():
    (row,) = side_by_side(("len(a[b:]) // len(a[9:])", [1, 2], 2)).rows
    assert row.verdict == "same"
    (row,) = side_by_side(("a / b", [1], 0)).rows
    assert (row.python, row.verdict) == ("TypeError", "refused")


def test_a_table_has_headings_and_as_many_columns_as_values():
    found = side_by_side(("np.pi",), ("a + b", 1, 2))
    assert repr(found).splitlines()[0].split() == [
        "expression", "a", "b", "in", "Python", "compiled", "verdict"
    ]  # fmt: skip
    page = found._repr_html_()
    assert page.count("<th ") == 6 and page.count("<td ") == 12 and "<script" not in page


def test_more_values_than_names_are_refused():
    with pytest.raises(ValueError, match="an expression has at most 4 values, not 5"):
        side_by_side(("a", 1, 2, 3, 4, 5))


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("uint8", "uint8"), ("uint8", "uint64", "uint8")),
        (("bool", "bool"), ("bool", "int64", "bool")),
        (("int16", "float32"), ("float32", "float32", "float32")),
        (("uint64", "int"), ("uint64", "int64", "float64")),
        (("float32", "float"), ("float32", "float64", "float64")),
    ],
)
def test_type_of_a_sum_in_numpy_of_scalars_and_of_arrays(pair, expected):
    (row,) = promotions(pair).rows
    assert row == (*pair, *expected)
    assert repr(promotions(pair)).count("≠ ") == 1 + sum(kind != expected[0] for kind in expected[1:])


def test_an_unknown_type_is_refused():
    with pytest.raises(TypeError, match="not understood"):
        promotions(("uint9", "int"))
