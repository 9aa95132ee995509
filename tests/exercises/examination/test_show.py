"""Values as text: short, aligned, told apart, and never an error or a screen full, whatever the value is."""

import sys

import numpy as np
import pytest

from numba_course.exercises.examination import show as module
from numba_course.exercises.examination.show import cut, escaped, one_line, show, show_both, show_type

nan, inf = np.nan, np.inf  # for eval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (6.5, "6.5"),
        (np.float64(7.0), "7.0"),
        (np.int64(7), "7"),
        (np.True_, "True"),
        (np.float32(0.1), "np.float32(0.1)"),
        (np.uint8(3), "np.uint8(3)"),
        (np.longdouble(0.5), f"np.{np.dtype(np.longdouble).name}(0.5)"),
        (1 / 3, "0.333333"),
        (1234567.0, "1234567.0"),
        (2.0**52 + 1, "4503599627370497.0"),
        (1e300, "1e+300"),
        (0.99999999, "1.0"),
        (-0.0, "-0.0"),
        (float("nan"), "np.nan"),
        (-np.inf, "-np.inf"),
        (1 + 2j, "complex(1.0, 2.0)"),
        (None, "None"),
        (1 << 300, "<an int of 301 bits>"),
        ((1.0,), "(1.0,)"),
        ([1, "a", b"b"], "[1, 'a', b'b']"),
        ({"a": 1 / 3}, "{'a': 0.333333}"),
        (frozenset({1}), "frozenset({1})"),
        (set(), "set()"),
        (np.array([1.0, 2.5]), "np.array([1.0, 2.5])"),
        (np.array([1.0, nan, -inf]), "np.array([1.0, np.nan, -np.inf])"),
        (np.array([1, 2], np.uint8), "np.array([1, 2], dtype=np.uint8)"),
        (np.array([0.1], np.float32), "np.array([0.1], dtype=np.float32)"),
        (np.array(["a"]), "np.array(['a'])"),
        (np.array(2.0), "np.array(2.0)"),
        (np.zeros((0, 3)), "np.array([], dtype=np.float64).reshape(0, 3)"),
        (np.arange(6.0)[::2], "np.array([0.0, 2.0, 4.0]) (strided)"),
        (np.zeros(40)[::2], "float64 array of shape (20,) (strided)"),
        (np.ones((2, 2), order="F"), "np.array([[1.0, 1.0], [1.0, 1.0]]) (in Fortran order)"),
        (np.broadcast_to(1.0, 2), "np.array([1.0, 1.0]) (strided, read-only)"),
        (np.zeros(20), "float64 array of shape (20,)"),
        (np.zeros((7, 2)), "float64 array of shape (7, 2)"),
        (np.zeros(2, [("x", float)]), "void64 array of shape (2,)"),
        (np.ones((2, 2)), "np.array([[1.0, 1.0], [1.0, 1.0]])"),
    ],
)
def test_a_value_is_its_source_text(value, text):
    assert show(value) == text


def test_a_matrix_has_its_rows_below_each_other_and_is_still_source_text():
    matrix = np.sin(np.arange(36.0)).reshape(6, 6)
    text = show(matrix)
    rows = text.split("\n")
    assert rows[0] == "np.array([" and rows[-1] == "])"
    assert len({row.index(",") for row in rows[1:-1]}) == 1  # aligned
    assert max(map(len, rows)) < 80
    for written in (text, one_line(text)):
        assert np.allclose(eval(written), matrix, atol=1e-5)
    assert "\n" not in one_line(text)
    assert one_line("a is [\n    [1],\n    [2],\n], b") == "a is [[1], [2]], b"


@pytest.mark.parametrize(
    ("one", "other", "texts"),
    [
        (2.0, np.float64(7.0), ("2.0", "7.0")),
        (0.1 + 0.2, 0.3, ("0.30000000000000004", "0.3")),
        (1 / 3, 1 / 3 + 1e-8, ("0.333333333", "0.333333343")),
        (np.array([1 / 3]), np.array([0.25]), ("np.array([0.333333])", "np.array([0.25])")),
        (np.float32(0.1), np.nextafter(np.float32(0.1), np.float32(1)), None),
        (np.float32(0.1), 0.25, ("0.1", "0.25")),
        (1, 1.0, ("1", "1.0")),
    ],
)
def test_two_values_are_shown_with_the_digits_that_tell_them_apart(one, other, texts):
    found = show_both(one, other)
    assert found[0] != found[1]
    assert texts is None or found == texts


class Nasty:
    """Its repr does what it is told."""

    def __init__(self, act):
        self.act = act

    def __repr__(self):
        return self.act()


NASTY = {
    "raises": Nasty(lambda: 1 / 0),
    "exits": Nasty(lambda: sys.exit(3)),
    "no text": Nasty(lambda: 3),
    "endless": Nasty(lambda: repr(NASTY["endless"])),
    "long": Nasty(lambda: "x" * 20_000_000),
    "orders to the terminal": Nasty(lambda: "\x1b[2J\x07\u202e\ud83d"),
    "long list": list(range(10_000_000)),
    "long text": "é" * 20_000_000,
    "an int that Python refuses to write": 10**5000,
    "wide": [["x" * 100] * 100] * 100,
}
NASTY["inside"] = [NASTY["raises"], {"a": NASTY["exits"]}, np.array([NASTY["exits"]], object)]
NASTY["itself"] = []
NASTY["itself"].append(NASTY["itself"])


@pytest.mark.parametrize("name", NASTY)
def test_no_value_breaks_it_or_fills_the_screen(name):
    for text in (show(NASTY[name]), show_type(NASTY[name]), *show_both(NASTY[name], NASTY[name])):
        assert len(text) < (1_300 if name == "wide" else 300)
        assert all(sign.isprintable() for sign in text)
        text.encode()


def test_what_was_left_out_of_a_value_is_counted():
    assert show(list(range(20))).endswith("11, … 8 more]")
    assert show("x" * 200) == f"'{'x' * 80}'… 120 more characters"


# ---- texts


def test_what_no_screen_shows_is_written_out():
    assert escaped("a\tb\nc") == "a\tb\nc"
    assert escaped("\x1b[31mred\x00\r\ud83d\u202e") == "\\x1b[31mred\\x00\\r\\ud83d\\u202e"
    assert escaped("Zoë → ✓ 中") == "Zoë → ✓ 中"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("short\n", "short"),
        ("0123456789ab", "0123456789… 2 more characters"),
        ("0123456789a", "0123456789… 1 more character"),
        ("a\nb\nc\nd\ne\n", "a\nb\nc\n… 2 more lines"),
        ("a\nb\nc\nd", "a\nb\nc\n… 1 more line"),
        ("0123456789ab\nc\nd", "0123456789…\n… 2 more lines"),
        ("x" * 20_000_000, "xxxxxxxxxx… 19,999,990 more characters"),
        ("\x1b", "\\x1b"),
    ],
    ids=lambda text: repr(text[:30]),
)
def test_a_cut_says_how_much_it_left_out(text, shown):
    assert cut(text, 10, 3) == shown


def test_written_out_is_what_show_writes_out():
    for shape in ((12,), (13,), (6, 6), (7, 1), (7, 2), (2, 3, 2), (3, 3, 3)):
        array = np.ones(shape)
        assert module.is_written_out(array) == ("1.0" in show(array)), shape
