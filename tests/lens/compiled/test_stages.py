"""stages: every stage is there, with the user's lines, and what became of each loop."""

import dataclasses
import functools
import re
import sys

import cloudpickle
import numba
import numpy as np
import pytest
from numba import literal_unroll, njit, prange

from numba_course.lens.compiled import stages as showing
from numba_course.lens.compiled.stages import TITLES, stages

for pickling in (cloudpickle, numba.cloudpickle):
    pickling.register_pickle_by_value(sys.modules[__name__])  # a child cannot import a test module

x, y = np.ones(8), np.ones(8)


def scaled(values, out):
    for i in prange(values.size):
        out[i] = values[i] * 3.0 + out[i]


def triangular(n):
    total = 0
    for i in range(n):
        total += i
    return total


def spread(values):
    for value in values:
        yield value * 3.0


def firsts(arrays):
    total = 0.0
    for array in literal_unroll(arrays):
        total += array[0]
    return total


@functools.cache
def seen(fn, **options):
    arguments = {scaled: (x, y), triangular: (5,), spread: (x,)}[fn]
    return stages(njit(**options)(fn), *arguments)


def rows_of(report, stage, offset, fn):
    return [text for line, text in report.rows[stage] if line == fn.__code__.co_firstlineno + offset]


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("bytecode", r"BINARY_OP.*\*"),
        ("numba_ir", r"\* \$const|\$binop_mul"),
        ("typed_ir", r":: float64"),
        ("llvm", r"fmul double"),
        ("optimised_llvm", r"fmul <\d+ x double>"),
        ("assembly", r"mulpd|addpd|fmul|fadd"),
    ],
)
def test_each_stage_has_the_product_in_its_line(stage, words, parallel):
    report = seen(scaled, parallel=parallel)
    found = rows_of(report, stage, 2, scaled)
    assert any(re.search(words, text) for text in found)
    text = getattr(report, stage)
    assert text.splitlines()[0].strip()
    assert len(text.splitlines()) == len(report.rows[stage])
    assert f"\n{scaled.__code__.co_firstlineno + 2:>5}  " in text


def test_the_line_that_is_followed_is_in_the_loop():
    followed = stages(njit(firsts), (x, np.ones(2, np.float32))).line
    assert followed == firsts.__code__.co_firstlineno + 3  # not of the return, which uses what the loop gave


def test_nothing_comes_from_a_line_below_a_lambda():
    squares = lambda n: [k * k for k in range(n)]  # noqa: E731
    rows = stages(njit(squares), 5).rows
    assert {own for stage in rows for own, _ in rows[stage]} - {None} == {squares.__code__.co_firstlineno}


def test_only_the_typed_ir_has_types():
    report = seen(scaled)
    assert "::" in report.typed_ir and "::" not in report.numba_ir
    assert "out = arg(1, name=out)  :: array(float64, 1d, C)" in report.typed_ir


def test_optimising_makes_it_shorter_and_the_wrapper_is_left_out():
    report = seen(triangular)
    assert len(report.rows["optimised_llvm"]) < len(report.rows["llvm"]) / 2
    assert "PyArg" not in report.assembly + report.optimised_llvm
    whole = stages(njit(triangular), 5, wrapper=True)
    assert "PyArg_UnpackTuple" in whole.assembly and "PyArg_UnpackTuple" in whole.optimised_llvm
    assert set(report.assembly.splitlines()) < set(whole.assembly.splitlines())


def test_a_loop_that_vanishes_is_reported():
    line = triangular.__code__.co_firstlineno + 2
    assert [(loop.line, loop.state) for loop in seen(triangular).loops] == [(line, "gone")]
    assert f"the loop in line {line} has vanished: Loop deleted" in repr(seen(triangular))
    assert "is still a loop" in repr(seen(scaled)) and "vanished" not in repr(seen(scaled))


def test_a_generator_shows_its_step():
    report = seen(spread)
    assert rows_of(report, "assembly", 2, spread)
    assert "what became of the loop" in repr(report)


def test_symbols_paths_and_addresses_are_readable():
    for report in (seen(scaled), seen(scaled, parallel=True), seen(spread)):
        text = "\n".join(getattr(report, stage) for stage in TITLES) + repr(report)
        assert not re.search(
            r"_ZN\d|at 0x|[\\/](tmp|usr|home)[\\/]|\b100\d{4}\b|!dbg|numba_parfor_gufunc_0x", text
        )


def test_the_report_is_plain_frozen_static_and_the_same_again():
    report = seen(triangular)
    assert repr(report).startswith("stages of triangular(int64) -> int64\n")
    assert all(f"⟨{len(report.rows[stage])}⟩ rows" in repr(report) for stage in TITLES)
    page = report._repr_html_()
    assert not re.search(r"<style|<script|var\(|\bid=|<svg", page)
    assert page.count("<div") == page.count("</div") and page.count("<td") == page.count("</td")
    assert stages(njit(triangular), 5) == report
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.loops = ()


def test_one_stage_is_open_and_one_line_is_followed_through_all():
    report, line = seen(scaled), scaled.__code__.co_firstlineno + 2
    assert report.line == line
    page = report._repr_html_()
    assert page.count("<details") == len(TITLES) and page.count(" open>") == 1
    assert page.count("font-weight:bold") > len(TITLES) + 1
    for stage, title in TITLES.items():
        own = sum(where == line for where, _ in report.rows[stage])
        assert own and f"⟨{own}⟩ of them from line {line}" in page
        assert f"{title:<18} ⟨{len(report.rows[stage])}⟩ rows, ⟨{own}⟩ of them from" in repr(report)
    assert f"; loop in line {line - 1}: packed" in repr(report)
    (marked,) = [
        row for row in repr(report).splitlines() if row.startswith("  > ") and "const(float, 3.0)" in row
    ]
    assert ":: float64" in marked


def test_another_stage_is_opened_and_another_line_followed():
    first = scaled.__code__.co_firstlineno
    report = seen(scaled).at("assembly", first + 1)
    rows = [row for row in repr(report).splitlines() if row.startswith("  > ")]
    assert len(rows) == sum(line == first + 1 for line, _ in report.rows["assembly"])
    with pytest.raises(ValueError, match=r"stage must be one of bytecode, .*, not 'wasm'"):
        report.at("wasm")
    with pytest.raises(ValueError, match="line must be one from which some stage has code, not 1"):
        report.at("llvm", 1)


def test_a_long_stage_is_cut_and_says_so(monkeypatch):
    monkeypatch.setattr(showing, "SHOWN", 10)
    assert "more in .llvm" in seen(scaled)._repr_html_()


def test_looking_compiles_nothing():
    dispatcher = njit(cache=True)(triangular)
    stages(dispatcher, 5)
    assert dispatcher.signatures == []
    assert dispatcher.stats.cache_misses == {}


@pytest.mark.parametrize(
    ("fn", "arguments", "words"),
    [
        (
            triangular,
            (5,),
            "lens.stages: fn must be a function decorated with @njit, not the plain Python function",
        ),
        (njit(triangular), ("text",), "lens.stages: triangular does not compile: "),
    ],
)
def test_wrong_use_is_refused_in_one_line(fn, arguments, words):
    with pytest.raises(TypeError) as caught:
        stages(fn, *arguments)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_loop_that_runs_in_parallel_has_not_vanished():
    """Remarks on other loops are in its lines."""

    @njit(parallel=True)
    def product(a, b):
        out = np.zeros((a.shape[0], b.shape[1]))
        for i in prange(a.shape[0]):
            for k in range(a.shape[1]):
                for j in range(b.shape[1]):
                    out[i, j] += a[i, k] * b[k, j]
        return out

    a, b = np.ones((30, 40)), np.ones((40, 20))
    assert not [loop for loop in stages(product, a, b).loops if loop.state == "gone"]
