"""The names that a text binds, reads and deletes, whatever way it is written in."""

import pytest

from numba_course.learner.global_names import bound, deleted, loaded, statements


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("def f(): inner = 1", ["f"]),
        ("async def f(): await g()", ["f"]),
        ("class A:\n    x = 1\n    def g(self):\n        global y\n        y = 2", ["A", "y"]),
        ("double = njit(lambda values: 2 * values)", ["double"]),
        ("def double(): pass\nb = 1\ndouble = njit(double)", ["b", "double"]),
        ("from answers import double, other as mine", ["double", "mine"]),
        ("import numpy.linalg, numba as nb", ["numpy", "nb"]),
        ("print(n := 3)\n[m := k for k in range(3)]", ["n", "m"]),
        ("with a as (b, c): pass\nfor d, *e in z: pass", ["b", "c", "d", "e"]),
        ("if x:\n    try:\n        y = 1\n    finally:\n        def z(): pass", ["y", "z"]),
        ("match v:\n    case [p, q]: pass", ["p", "q"]),
        ("x: int = 3\ny: int\nz += 1\nt[0] = u.v = 2", ["x", "z"]),
        ("await f()\nx = 1", ["x"]),
        ("", []),
    ],
)
def test_names_are_bound_by_whatever_binds_them(text, names):
    assert bound(text) == names


def test_names_in_a_text_that_is_no_python_are_those_that_its_lines_seem_to_bind():
    text = "def f(:\nclass A\nasync def g(\nx == 1\ny: int = (\nz = !\nh(k=1)\nt[0] = 1\n  inner = 2\n"
    assert bound(text) == ["f", "A", "g", "y", "z"]


@pytest.mark.parametrize(
    "text",
    [
        "def f(:",
        "return 1",
        "x = '\0'",
        "x = '\ud83d'",
        "(" * 1_000,
        "-" * 200_000 + "1",
        "a" + ".b" * 100_000,
    ],
)
def test_text_that_no_compiler_takes_has_no_statements(text):
    assert statements(text) is None


def test_what_a_text_warns_about_is_not_shown():
    assert len(statements("1 is 1\n'\\d'")) == 2  # pytest makes errors of warnings
    assert loaded(statements("x is 1")) == ["x"]


def test_names_are_read_and_deleted_in_functions_too():
    found = statements("del a\ndef f(b=c):\n    global d\n    del d\n    return [e for g in h]")
    assert deleted(found) == ["a", "d"]
    assert set(loaded(found)) == {"c", "e", "h"}
