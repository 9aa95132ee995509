"""types: what is known of each variable, under the user's names and in the user's lines."""

import dataclasses
import functools
import linecache
import re
import sys
import textwrap

import cloudpickle
import numba
import numpy as np
import pytest
from numba import njit

from numba_course.lens.compiled.types import types

for pickling in (cloudpickle, numba.cloudpickle):
    pickling.register_pickle_by_value(sys.modules[__name__])  # a child cannot import a test module

x = np.ones(4)
single = np.ones(4, np.float32)


@njit
def small(value):
    return value + 1


@njit
def recursive(n):
    return 1 if n < 2 else recursive(n - 1) + recursive(n - 2)


@njit(
    nogil=True,
)
def everything(values, flag, scale=2):
    total = 0
    for i in range(values.size):
        total += values[i] * 2.0
    maybe = None
    if flag:
        maybe = values[0]
    half = scale / 2
    third = values[0] * np.float32(0.5)
    items = [item * scale for item in range(3)]
    for number in range(values.size):
        total += small(number) + recursive(number)
    return total, maybe, half, third, items


@njit
def pruned(values, extra=None):
    if extra is not None:
        unused = 3  # noqa: F841
    return values


@functools.cache
def seen():
    return types(everything, single, True)


def line(offset):
    """A line of `everything`, counted from the one with ``def``."""
    return everything.py_func.__code__.co_firstlineno + 3 + offset


def at(offset):
    return next(found for found in seen().lines if found.number == line(offset))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("values", ("array(float32, 1d, C)",)),
        ("flag", ("bool",)),
        ("scale", ("int64",)),
        ("total", ("int64", "float64")),
        ("i", ("int64",)),
        ("maybe", ("none", "float32", "OptionalType(float32)")),
        ("half", ("float64",)),
        ("third", ("float32",)),
        ("item", ("int64",)),
        ("number", ("int64",)),
    ],
)
def test_types_of_a_variable_in_order_of_definition(name, expected):
    assert seen().of(name) == expected


def test_variable_that_numba_removes_has_no_type():
    assert types(pruned, single).of("unused") == ()


def test_the_return_type_stands_in_its_line_and_in_the_signature():
    (kind,) = seen().of("return")
    assert kind == "Tuple(float64, OptionalType(float32), float64, float32, list(int64))"
    assert seen().signature == f"(array(float32, 1d, C), bool, omitted(default=2)) -> {kind}"
    assert ("return", kind) in at(12).variables


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"name must be one of .*, total, .* or return, not 'absent'"):
        seen().of("absent")


def test_every_line_of_the_source_is_shown():
    numbers = [found.number for found in seen().lines]
    assert numbers == list(range(line(-3), line(13)))
    assert at(1).text == "    total = 0"
    assert at(0).variables == (
        ("values", "array(float32, 1d, C)"),
        ("flag", "bool"),
        ("scale", "int64"),
    )


def test_what_to_notice():
    assert at(1).notes == ()
    assert at(2).variables == (("i", "int64"),)  # where total is merged is no definition of it
    assert "total changes type: int64, then float64" in at(3).notes
    assert "float32 * float64 is computed in float64" in at(3).notes
    merged = [found.number for found in seen().lines if "maybe may be None" in found.notes]
    assert len(merged) == 1 and line(6) < merged[0] <= line(
        12
    )  # the bytecode, and so the Python, decides where
    assert "return holds what may be None" in at(12).notes
    assert at(7).notes == ("int64 / int64 is computed in float64",)
    assert at(8).notes == ()  # float32 stays float32
    assert "calls recursive: not inlined" in at(11).notes
    assert not any("small" in note for found in seen().lines for note in found.notes)
    assert seen().changing == ("total", "maybe")
    assert set(seen().optional) == {"maybe", "return"}
    assert seen().objects == ()
    assert (line(11), "recursive") in seen().calls


@pytest.mark.parametrize(
    ("fn", "arguments", "expected"),
    [
        (lambda a: a[0] * 2.0, (single,), True),
        (lambda a: a[0] * np.float32(2.0), (single,), False),
        (lambda a: a * 2.0, (single,), True),
        (lambda a: a[0] * 2, (x,), False),
        (lambda a: a[0] * 2, (single,), True),
        (lambda n: n / 3, (7,), True),
        (lambda n: n // 3, (7,), False),
        (lambda n: n < 0.5, (7,), True),
        (lambda n: np.sqrt(n), (7,), True),
        (lambda a: np.sqrt(a), (single,), False),
        (lambda n: np.zeros(n), (7,), False),
        (lambda n: min(n, 255), (np.uint64(7),), True),
        (lambda n: min(n, np.uint64(255)), (np.uint64(7),), False),
        (lambda a: max(a[0], 0.0), (single,), True),
        (lambda a: max(a[0], np.float32(0)), (single,), False),
    ],
)
def test_what_is_computed_in_float64_and_was_not(fn, arguments, expected):
    assert bool(types(njit(fn), *arguments).widened) is expected


@njit(parallel=True)
def backwards(values, out):
    for i in numba.prange(values.size):
        last = -i
        out[i] = values[last]
    total = 0
    for k in range(values.size):
        total += k
    return total


def test_in_a_parallel_loop_the_types_are_those_of_its_body():
    """There an index is unsigned, and so is what it makes: -i does not count from the end."""
    report = types(backwards, x, x)
    assert [report.of(name) for name in ("i", "last", "k", "total")] == [
        ("uint64",),
        ("uint64",),
        ("int64",),
        ("int64",),
    ]
    said = [note for found in report.lines for note in found.notes if "parallel loop;" in note]
    assert said == [f"{name} is uint64 in the parallel loop; were it serial, int64" for name in ("i", "last")]


def test_names_are_the_users_own():
    text = repr(seen()) + seen()._repr_html_()
    assert not re.search(r"\$\d|0x[0-9a-f]{4}|_v\d|100\d{4}|\.\d+ =", text)
    assert "closure" not in text


CELL = textwrap.dedent(
    """
    from numba import njit
    @njit
    def typed_in_a_cell(value):
        doubled = value * 2
        return doubled
    """
)


@pytest.mark.parametrize("known", [True, False])
def test_a_function_of_a_notebook_cell(known):
    name = f"<cell {known}>"
    if known:
        linecache.cache[name] = (len(CELL), None, CELL.splitlines(keepends=True), name)
    space = {"__name__": "__main__"}
    exec(compile(CELL, name, "exec"), space)
    report = types(space["typed_in_a_cell"], 3)
    by_line = {found.number: found for found in report.lines}
    assert by_line[5].variables == (("doubled", "int64"),)
    assert by_line[5].text == ("    doubled = value * 2" if known else "")
    assert sorted(by_line) == ([3, 4, 5, 6] if known else [3, 5, 6])


def test_looking_compiles_nothing():
    types(small, 3)
    assert (everything.signatures, small.signatures, recursive.signatures) == ([], [], [])
    assert everything.stats.cache_misses == {}


@pytest.mark.parametrize(
    ("fn", "arguments", "words"),
    [
        (
            small.py_func,
            (3,),
            "lens.types: fn must be a function decorated with @njit, not the plain Python function",
        ),
        (small, (), "lens.types: the arguments do not fit small: missing a required argument: 'value'"),
        (small, (object(),), "argument 0: Cannot determine Numba type of <class 'object'>"),
        (small, ("text",), ">>> add(unicode_type, Literal[int](1)) (line "),
    ],
)
def test_wrong_use_is_refused_in_one_line(fn, arguments, words):
    with pytest.raises(TypeError) as caught:
        types(fn, *arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_report_is_plain_frozen_and_static():
    assert repr(seen()).startswith("types of everything(array(float32, 1d, C)")
    assert f"{line(1):>5}      total = 0\n           total: int64\n" in repr(seen())
    page = seen()._repr_html_()
    assert not re.search(r"<style|<script|var\(|\bid=|<svg", page)
    assert page.count("<div") == page.count("</div") and page.count("<td") == page.count("</td")
    with pytest.raises(dataclasses.FrozenInstanceError):
        seen().lines = ()


@njit
def joined(flag, n):
    if flag:
        x = 1
    else:
        x = 2.5
    total = 0
    for _ in range(n):
        total += x
    text = total
    text = "text"
    return total, text


def test_each_assignment_has_its_type_and_so_has_the_place_where_ways_meet():
    report = types(joined, True, 3)
    start = joined.py_func.__code__.co_firstlineno + 1
    found = report.assignments
    own = {
        name: [
            (a.line and a.line - start, a.type, [found[p].type for p in a.joined])
            for a in found
            if a.name == name
        ]
        for name in ("flag", "x", "total", "text")
    }
    assert own == {
        "flag": [(0, "bool", [])],
        "x": [(2, "int64", []), (4, "float64", []), (None, "float64", ["int64", "float64"])],
        "total": [(5, "int64", []), (7, "float64", []), (None, "float64", ["int64", "float64"])],
        "text": [(8, "float64", []), (9, "unicode_type", [])],
    }


def test_a_figure_of_them_says_in_words_what_it_shows():
    report = types(joined, True, 3)
    start = joined.py_func.__code__.co_firstlineno + 1
    figure = report.figure("x")
    assert figure.png.startswith(b"\x89PNG")
    assert figure.alt == (
        f"Assignments of x. Line {start + 2}: x = 1 is int64. Line {start + 4}: x = 2.5 is float64. Where the "
        f"ways from line {start + 2} and line {start + 4} meet, it is float64. So int64 is converted."
    )
    assert "meet" not in report.figure("text").alt
    assert "So int64 is converted" in report.figure("total").alt


def test_a_figure_of_what_has_no_types_of_its_own_is_refused():
    with pytest.raises(ValueError, match="name must be one of _, flag, n, text, total, x, not 'return'"):
        types(joined, True, 3).figure("return")
    with pytest.raises(ValueError, match="there is nothing to draw: unused is never used"):
        types(pruned, single).figure("unused")
    with pytest.raises(
        ValueError, match="last has other types in the body of a parallel loop, which is not drawn"
    ):
        types(backwards, x, x).figure("last")
