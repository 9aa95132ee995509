"""A newer chapter in a learner's notebook: whatever both have done, no edited cell is lost and nothing comes twice."""

import copy

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_course.learner import merge
from numba_course.learner.notebook_files import text

STUB = "@njit\ndef {0}(values):\n    ..."
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")


def cell(source, number=0, kind="markdown", tags=()):
    """A cell of the course."""
    made = {"cell_type": kind, "id": f"x-{number:03d}", "metadata": {}, "source": source}
    made["metadata"] = {"tags": list(tags)} if tags else {}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def stub(name, tail=""):
    """An exercise of the course."""
    return cell(STUB.format(name) + tail, kind="code", tags=("exercise",))


def course(*cells, version="1"):
    """A notebook as it is delivered; a text stands for a text cell, and ids are numbered as a build does."""
    cells = [cell(each) if isinstance(each, str) else copy.deepcopy(each) for each in cells]
    for number, each in enumerate(cells):
        each["id"] = f"x-{number:03d}"
    return merge.deliver({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}, version)


def edited(notebook, *changes):
    """A learner's notebook after changes: pairs of a cell's index and its new text."""
    mine = copy.deepcopy(notebook)
    for index, source in changes:
        mine["cells"][index]["source"] = source
    return mine


def texts(notebook):
    return [text(each) for each in notebook["cells"]]


def counts(merged):
    return merged.new, merged.mended, merged.dropped, merged.kept


# Single cases


def test_untouched_notebook_becomes_the_new_one():
    old, new = course("a b c d", "e f g h", "out"), course("in", "a b c d", "e f g h!")
    merged = merge.merge(old, new)
    assert merged.notebook == new
    assert counts(merged) == (1, 1, 1, ())


def test_edited_cell_stays_with_its_outputs_and_is_named_only_if_the_course_changed_it_too():
    old = course("text", cell("1 + 1  # one and one", kind="code"), "end")
    mine = edited(old, (1, "2 + 2  # one and one"))
    mine["cells"][1]["outputs"] = ["4"]
    merged = merge.merge(mine, course("text, mended", cell("1 + 1  # one and one", kind="code"), "end"))
    assert texts(merged.notebook) == ["text, mended", "2 + 2  # one and one", "end"]
    assert merged.notebook["cells"][1]["outputs"] == ["4"]
    assert merged.kept == ()
    merged = merge.merge(mine, course("text", cell("1 + 1  # one and 1", kind="code"), "end"))
    assert texts(merged.notebook) == texts(mine)
    assert merged.kept == ("1 + 1  # one and 1",)


def test_half_of_a_pair_of_surrogates_is_an_edit_as_any_other():
    old = course("text", cell("x = 1", kind="code"))
    merged = merge.merge(edited(old, (1, "x = '\ud83d'")), course("text, mended", cell("x = 1", kind="code")))
    assert texts(merged.notebook) == ["text, mended", "x = '\ud83d'"]


def test_mend_that_the_learner_made_as_well_is_not_worth_a_word():
    merged = merge.merge(edited(course("a b c"), (0, "a b d")), course("a b d"))
    assert counts(merged) == (0, 0, 0, ())


def test_answer_stays_however_unlike_the_stub_it_is_and_wherever_the_exercise_moved():
    old = course("text", stub("double"), "between", stub("triple"), "end")
    answer = (
        "import math\n\n\ndef helper(x):\n    return x\n\n\n@njit\ndef triple(values):\n    return 3 * values"
    )
    mine = edited(old, (3, answer))
    new = course(stub("triple", "  # mended"), "quite another text", stub("double"), "end")
    merged = merge.merge(mine, new)
    assert texts(merged.notebook).count(answer) == 1
    assert STUB.format("triple") + "  # mended" not in texts(merged.notebook)
    assert merged.kept == ("triple",)


def test_two_cells_that_answer_the_same_exercise_both_stay():
    old = course(stub("double"), stub("triple"))
    answer = "def double(values):\n    return 2 * values"
    mine = edited(old, (0, answer + "  # first"), (1, answer))
    merged = merge.merge(mine, course(stub("double", "  # mended"), stub("triple", "  # mended")))
    assert {answer, answer + "  # first"} <= set(texts(merged.notebook))
    nbformat.validate(nbformat.from_dict(merged.notebook))


def test_answer_in_the_place_of_another_exercise_moves_nothing():
    old = course(stub("double"), stub("triple"))
    mine = edited(old, (1, "def double(values):\n    return 2 * values"))
    assert merge.merge(mine, old).notebook == mine


def test_answer_that_is_no_python_stays():
    old = course(stub("double"), "end")
    mine = edited(old, (0, "@njit\ndef double(values):\n    return (2 *"))
    merged = merge.merge(mine, course(stub("double", "  # mended"), "end"))
    assert texts(merged.notebook) == texts(mine)


def test_edited_cell_that_the_course_dropped_stays():
    old = course("a b c", "d e f", "g h i")
    merged = merge.merge(edited(old, (1, "mine")), course("a b c", "g h i"))
    assert texts(merged.notebook) == ["a b c", "mine", "g h i"]
    assert merged.dropped == 0
    nbformat.validate(nbformat.from_dict(merged.notebook))


def test_cells_of_the_learner_stay_where_they_are_and_deleted_ones_do_not_return():
    old = course("a b c", "d e f", "g h i")
    mine = edited(old)
    mine["cells"][1] = cell("my own", 7) | {"id": "own"}
    merged = merge.merge(mine, course("a b c", "d e f", "g h i", "new"))
    assert texts(merged.notebook) == ["a b c", "my own", "g h i", "new"]


def test_order_of_the_learner_stays_and_what_is_new_follows_its_predecessor():
    old = course("a b c", "d e f", "g h i")
    mine = edited(old)
    mine["cells"].reverse()
    merged = merge.merge(mine, course("first", "a b c", "d e f", "new", "g h i"))
    assert texts(merged.notebook) == ["first", "g h i", "d e f", "new", "a b c"]


def test_copy_of_a_cell_is_a_cell_of_the_learner():
    old = course("a b c d e", "f")
    mine = edited(old)
    mine["cells"].append(copy.deepcopy(mine["cells"][0]))
    merged = merge.merge(mine, course("a b c d e!", "f"))
    assert texts(merged.notebook) == ["a b c d e!", "f", "a b c d e"]
    nbformat.validate(nbformat.from_dict(merged.notebook))


def test_notebook_without_ids_loses_nothing():
    old = course("a b c", "d e f")
    mine = edited(old, (1, "mine"))
    for each in mine["cells"]:
        del each["id"]
    merged = merge.merge(mine | {"nbformat_minor": 4}, course("a b c", "new"))
    assert set(texts(merged.notebook)) >= {"a b c", "mine"}
    nbformat.validate(nbformat.from_dict(merged.notebook))


def test_outputs_of_the_course_are_not_delivered_and_its_notebook_is_not_changed():
    built = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"numba_course": {"title": "x"}}}
    built["cells"] = [cell("1", kind="code") | {"outputs": ["1"], "execution_count": 3}]
    before = copy.deepcopy(built)
    delivered = merge.deliver(built, "1")
    assert built == before
    assert delivered["cells"][0]["outputs"] == []
    assert delivered["metadata"]["numba_course"]["title"] == "x"


def test_each_heading_begins_a_cell_and_no_line_is_lost():
    source = "# One\n\ntext\n\n```\n# no heading\n```\n## Two\n### Three\n#no heading\n"
    delivered = course(source, cell("# a comment", kind="code"), "no heading")
    assert texts(delivered) == [
        "# One\n\ntext\n\n```\n# no heading\n```",
        "## Two",
        "### Three\n#no heading",
        "# a comment",
        "no heading",
    ]
    assert [each["id"] for each in delivered["cells"]] == ["x-000", "x-000-1", "x-000-2", "x-001", "x-002"]
    nbformat.validate(nbformat.from_dict(delivered))


@pytest.mark.parametrize(
    "said",
    [None, {}, {"delivered": 3}, {"delivered": [1]}, {"delivered": [["a"]]}, {"delivered": [[["a"], "b"]]}],
)
def test_notebook_that_does_not_say_what_was_delivered_has_nothing_to_compare_with(said):
    assert merge.delivered({"metadata": {"numba_course": said}}) == []


# Laws


@st.composite
def versions(draw):
    """Two versions of a chapter, and what a learner has made of the first."""
    old = draw(
        st.lists(st.integers(0, 99).map(lambda n: f"cell {n}: {WORDS[n % 6]} " * 3), max_size=6, unique=True)
    )
    cells = [stub(WORDS[n]) if draw(st.integers(0, 4)) == 0 else each for n, each in enumerate(old)]
    new = [each for each in cells if draw(st.integers(0, 4))]
    for place in draw(st.lists(st.integers(0, len(new)), max_size=3)):
        kind = draw(st.sampled_from(["insert", "mend", "move"]))
        if kind == "insert":
            new.insert(place, f"new {draw(st.integers(0, 999))}")
        elif new[place:] and kind == "mend":
            one = new[place]
            new[place] = f"{one}!" if isinstance(one, str) else one | {"source": text(one) + "!"}
        elif new[place:]:
            new.append(new.pop(place))
    before, after = course(*cells), course(*new, version="2")
    mine = edited(before)
    for turn, place in enumerate(draw(st.lists(st.integers(0, len(cells)), max_size=4))):
        kind = draw(st.sampled_from(["edit", "answer", "own", "delete", "move"]))
        if kind == "own":
            mine["cells"].insert(place, cell("my own") | {"id": f"own{turn}"})
        elif mine["cells"][place:] and kind in ("edit", "answer"):
            one = mine["cells"][place]
            one["source"] = text(one) + " edited" if kind == "edit" else "def alpha(values):\n    return 1"
        elif mine["cells"][place:]:
            taken = mine["cells"].pop(place)
            mine["cells"] += [taken] if kind == "move" else []
    return before, mine, after


def own_texts(before, mine):
    """What the learner wrote."""
    marks = dict(merge.delivered(before))
    return [text(each) for each in mine["cells"] if merge.digest(each) != marks.get(each["id"])]


@settings(max_examples=300, deadline=None)
@given(versions())
def test_nothing_of_the_learner_is_lost(given):
    before, mine, after = given
    merged = texts(merge.merge(mine, after).notebook)
    for source in (own := own_texts(before, mine)):
        assert merged.count(source) >= own.count(source)
    only = set(own) - set(texts(after))
    assert [source for source in merged if source in only] == [
        source for source in texts(mine) if source in only
    ]


@settings(max_examples=300, deadline=None)
@given(versions())
def test_merging_again_changes_nothing_and_the_notebook_is_valid(given):
    _, mine, after = given
    merged = merge.merge(mine, after)
    again = merge.merge(merged.notebook, after)
    assert again.notebook == merged.notebook
    assert counts(again) == (0, 0, 0, ())
    nbformat.validate(nbformat.from_dict(merged.notebook))


@settings(max_examples=300, deadline=None)
@given(versions())
def test_a_notebook_that_nobody_touched_has_the_cells_of_the_new_version(given):
    before, _, after = given
    merged = merge.merge(before, after).notebook
    assert texts(merged) == texts(after)


@settings(max_examples=100, deadline=None)
@given(versions())
def test_the_same_version_changes_nothing(given):
    before, mine, _ = given
    assert counts(merge.merge(mine, before)) == (0, 0, 0, ())
    assert merge.merge(mine, before).notebook == mine
