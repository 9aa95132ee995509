"""The table of NumPy support says what is found out: yes, no, or that the result differs; what is kept is that, too."""

import json
import re

import pytest

from numba_course.host import ROOT
from numba_course.lens import numpy_support


@pytest.mark.parametrize(
    ("expression", "expected", "verdict"),
    [
        ("a.sum()", "a.sum()", "yes"),
        ("a.sum()", "a.max()", "DIFFERS"),
        ("a[:1]", "a.sum()", "DIFFERS"),
        ("a[[0]]", "", "no"),
        ("a.sum()", "", "yes"),
        ("np.array_split(a, 2)", "", "yes"),  # a list of arrays that are not of one shape
    ],
)
def test_a_verdict_is_found_out(expression, expected, verdict):
    assert numpy_support.fate(expression, "1-D", expected) == verdict


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("sum", "np.sum(a)"),
        ("minimum", "np.minimum(a, a)"),
        ("squeeze", "np.squeeze(a)"),
        ("tile", "np.tile(a, 2)"),
        ("modf", "np.modf(a)"),
    ],
)
def test_a_function_is_known_if_a_call_of_it_compiles(name, call):
    assert numpy_support.functions()[name] == (numpy_support.fate(call, "1-D") == "yes")


def test_functions_are_all_of_numpy_but_its_classes():
    functions = numpy_support.functions()
    assert functions["sum"] and not functions["modf"]
    assert "ndarray" not in functions and "pi" not in functions


TOY = (
    numpy_support.SupportEntry("x", "a[[0]]", ("1-D",), "a[:2]"),
    numpy_support.SupportEntry("x", "a[:1]", ("1-D",), "a[:2]"),
)


@pytest.fixture
def toy(monkeypatch, tmp_path):
    """A short list, of which nothing is kept yet."""
    monkeypatch.setattr(numpy_support, "ENTRIES", TOY)
    monkeypatch.setattr(numpy_support, "KEPT", tmp_path / "kept.json")
    numpy_support.KEPT.write_text("{}", encoding="utf-8")


def test_a_replacement_is_tried_only_where_it_is_needed(toy):
    support = numpy_support.tried("x")
    assert [(found, instead) for _, found, instead in support.rows] == [
        ({"1-D": "no"}, "DIFFERS"),
        ({"1-D": "yes"}, ""),
    ]
    assert "a[:2]: DIFFERS" in repr(support)
    assert "0 of 1 replacements" in repr(support)


def test_the_card_folds_the_table_under_how_many_compile():
    support = numpy_support.Support(((TOY[0], {"1-D": "no"}, "DIFFERS"), (TOY[1], {"1-D": "yes"}, "")))
    summary = "All 2 expressions, of which 1 compile with each array that was tried"
    assert f"<summary>{summary}</summary><table" in support._repr_html_()
    assert summary not in repr(support)


@pytest.mark.parametrize("ask", [numpy_support.tried, numpy_support.table])
def test_an_unknown_subject_is_refused(ask):
    with pytest.raises(ValueError, match="subject must be one of create"):
        ask("sorting")


# What is kept


def test_what_is_kept_is_what_was_tried_beside_that_of_the_same_numba(toy, monkeypatch):
    rows = (TOY[0], {"1-D": "no"}, "DIFFERS"), (TOY[1], {"1-D": "yes"}, "")
    monkeypatch.setattr(numpy_support, "tried", lambda *subjects: numpy_support.Support(rows))
    ours, numba_version = numpy_support.INSTALLED, numpy_support.INSTALLED.partition(", ")[0]
    other = {f"{numba_version}, NumPy 1.0": {"a": {"": "no"}}, "Numba 0.1, NumPy 1.0": {}}
    numpy_support.KEPT.write_text(json.dumps(other), encoding="utf-8")
    numpy_support.keep()
    kept = numpy_support.kept()
    assert kept.keys() == {ours, f"{numba_version}, NumPy 1.0"}
    assert kept[ours] == {"a[[0]]": {"1-D": "no", "instead": "DIFFERS"}, "a[:1]": {"1-D": "yes"}}
    monkeypatch.setattr(numpy_support, "tried", lambda *subjects: pytest.fail("it was tried"))
    assert numpy_support.table() == numpy_support.Support(rows)


@pytest.mark.parametrize("what", ["versions", "SciPy"])
def test_without_the_versions_or_scipy_it_is_tried_now(toy, monkeypatch, what):
    if what == "SciPy":
        numpy_support.KEPT.write_text(json.dumps({numpy_support.INSTALLED: {}}), encoding="utf-8")
        monkeypatch.setattr(numpy_support, "find_spec", lambda name: None)
        with pytest.raises(RuntimeError, match="install SciPy first"):
            numpy_support.keep()
    monkeypatch.setattr(numpy_support, "tried", lambda *subjects: subjects)
    assert numpy_support.table("x") == ("x",)


def test_the_table_is_kept_for_each_pair_of_versions_that_is_pinned():
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    numbas, numpys = (re.findall(rf"^{name}==(\S+)", pins, re.MULTILINE) for name in ("numba", "numpy"))
    pairs = {f"Numba {numba}, NumPy {numpy}" for numba in numbas for numpy in numpys}
    assert pairs == numpy_support.kept().keys(), "run: python -m numba_course.lens.numpy_support"


@pytest.mark.parametrize("versions", numpy_support.kept())
def test_each_expression_is_kept_with_each_kind_of_array(versions):
    kinds = {entry.expression: {*entry.kinds} or {""} for entry in numpy_support.ENTRIES}
    rows = numpy_support.kept()[versions]
    assert {expression: row.keys() - {numpy_support.INSTEAD} for expression, row in rows.items()} == kinds
    for entry in numpy_support.ENTRIES:
        refused = {rows[entry.expression][kind] for kind in kinds[entry.expression]} != {"yes"}
        assert (numpy_support.INSTEAD in rows[entry.expression]) == bool(refused and entry.instead)


@pytest.mark.skipif(
    numpy_support.INSTALLED not in numpy_support.kept(), reason="chapter 5 tries other versions itself"
)
def test_what_is_kept_is_found_out_anew():
    """The whole list, once in a suite; the chapter, blank and solved, shows what is kept."""
    assert numpy_support.table() == numpy_support.tried()
