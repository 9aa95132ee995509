"""The assertions: what passes, what fails with the card, what cannot be checked and fails with the reason."""

import functools
import inspect
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit, prange, vectorize

from numba_course import lens

VALUES = np.ones(64)


@njit(parallel=True)
def histogram(indices, counts):
    for i in prange(indices.size):
        counts[indices[i]] += 1


@njit(parallel=True)
def doubled(values, out):
    for i in prange(values.size):
        out[i] = 2 * values[i]


@njit(nogil=True)
def scaled(values, out, by=2.0):
    for i in range(values.size):
        out[i] = values[i] * by


@njit
def total(values, start=0.0):
    for value in values:
        start += value
    return start


@vectorize
def squared(x):
    return x * x


def test_a_race_fails_with_its_card_and_what_is_free_of_races_passes():
    lens.assert_race_free(doubled, VALUES, VALUES.copy())
    with pytest.raises(
        AssertionError, match=r"histogram has a race\nrace: iterations 0 and 4 both write counts\[0\]"
    ):
        lens.assert_race_free(histogram, np.arange(20) % 4, np.zeros(4))
    lens.assert_race_free(histogram, np.arange(20) % 4, counts=np.zeros(4), allow="counts")


def test_not_checked_fails_and_says_why():
    with pytest.raises(AssertionError, match="total was not checked: it is compiled without parallel=True"):
        lens.assert_race_free(total, VALUES)
    with pytest.raises(
        AssertionError, match="total was not checked: fn must be a function decorated with @njit"
    ):
        lens.assert_race_free(total.py_func, VALUES)
    lens.assert_race_free(total, VALUES, allow=["not checked"])


def test_loops_are_packed_all_or_the_one_that_is_named():
    lens.assert_vectorised(scaled, VALUES, VALUES.copy())
    lens.assert_vectorised(scaled, VALUES, VALUES.copy(), line="range(values.size)")
    line = total.py_func.__code__.co_firstlineno + 2
    with pytest.raises(
        AssertionError, match=f"the loop on line {line} is scalar: cannot prove(.|\n)*machine code of"
    ):
        lens.assert_vectorised(total, VALUES, line=line)
    with pytest.raises(AssertionError, match=f"no loop begins on line 3; loops begin on line {line}"):
        lens.assert_vectorised(total, VALUES, line=3)


@njit
def exponentials(values, totals):
    for i in range(values.size):
        totals[i] += np.exp(values[i])


def test_a_loop_that_is_packed_only_in_part_is_refused():
    with pytest.raises(AssertionError, match="is partly packed: it also calls functions"):
        lens.assert_vectorised(exponentials, VALUES, VALUES.copy())


def test_allocations_are_counted():
    @njit
    def copied(values):
        return values + 1.0

    lens.assert_allocations(scaled, VALUES, VALUES.copy(), by=3.0)
    lens.assert_allocations(copied, VALUES, at_most=1)
    with pytest.raises(AssertionError, match="copied allocates 1 times a call, and may 0 times"):
        lens.assert_allocations(copied, VALUES)


def test_specialisations_of_a_ufunc_are_its_loops():
    @vectorize
    def square(x):
        return x * x

    square(VALUES)
    lens.assert_specialisations(square)
    square(VALUES * 1j)
    with pytest.raises(
        AssertionError, match=r"2 combinations of types, and may be for 1:\n  square\(float64\)"
    ):
        lens.assert_specialisations(square)


def test_specialisations_are_counted_and_an_omitted_default_is_one():
    @njit
    def plus(x, y=1):
        return x + y

    with pytest.raises(AssertionError, match="plus was not checked: it is compiled for nothing yet"):
        lens.assert_specialisations(plus)
    plus(1)
    lens.assert_specialisations(plus)
    plus(1, 1)
    with pytest.raises(
        AssertionError, match=r"2 combinations of types, and may be for 1(.|\n)*omitted\(default=1\)"
    ):
        lens.assert_specialisations(plus)
    lens.assert_specialisations(plus, at_most=2)


def test_the_gil_is_read_in_machine_code_and_counted_elsewhere():
    lens.assert_releases_gil(scaled, VALUES, VALUES.copy())
    with pytest.raises(AssertionError, match="total holds the GIL\nmachine code of total"):
        lens.assert_releases_gil(total, VALUES)


def test_a_cache_is_fresh_stale_or_none(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "lens_cached.py").write_text(
        "from numba import njit\nimport lens_callee\n\n"
        "@njit(cache=True)\ndef f(x):\n    return lens_callee.g(x)\n",
        encoding="utf-8",
    )
    callee = tmp_path / "lens_callee.py"
    callee.write_text("from numba import njit\n\n@njit\ndef g(x):\n    return x + 1\n", encoding="utf-8")
    import lens_cached

    with pytest.raises(AssertionError, match="nothing that this process would load"):
        lens.assert_cache_fresh(lens_cached.f)
    lens_cached.f(1)
    lens.assert_cache_fresh(lens_cached.f)
    later = callee.stat().st_mtime + 100
    os.utime(callee, (later, later))
    with pytest.raises(AssertionError, match=r"f has a stale disk cache: lens_callee\.g"):
        lens.assert_cache_fresh(lens_cached.f)
    with pytest.raises(AssertionError, match="total was not checked: it was made without cache=True"):
        lens.assert_cache_fresh(total)


def test_an_allowance_is_a_name_or_a_number():
    for allow in (None, 1.5, [True]):
        with pytest.raises(TypeError, match="allow takes names of arrays, numbers of lines and kinds"):
            lens.assert_race_free(histogram, np.arange(4), np.zeros(4), allow=allow)
    line = np.int64(histogram.py_func.__code__.co_firstlineno + 3)
    lens.assert_race_free(histogram, np.zeros(4, np.int64), np.zeros(4), allow=line)


def test_a_parameter_of_the_function_is_not_taken_for_an_option():
    @njit
    def cut(values, at_most):
        return min(values[0], at_most)

    with pytest.raises(TypeError, match="parameter that is called at_most"):
        lens.assert_allocations(cut, VALUES, at_most=1.0)
    lens.assert_allocations(functools.partial(cut, at_most=1.0), VALUES)


def test_every_instrument_is_where_the_face_of_the_lens_says():
    for name in lens.__all__:
        found = getattr(lens, name)
        assert inspect.isfunction(found) and found.__module__ == f"numba_course.lens.{lens.HOMES[name]}"
    assert sorted(lens.HOMES) == lens.__all__


def test_its_modules_are_there_without_being_imported_first():
    code = "from numba_course import lens; print(lens.errors.reason.__name__, hasattr(lens, 'nothing'))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert found.stdout == "reason False\n"
