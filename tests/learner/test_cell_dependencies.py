"""What an answer needs of the cells before it, and whether their text tells."""

import ast

import pytest

from numba_course.learner.cell_dependencies import Cell, is_certain, needed
from numba_course.learner.ipython_syntax import as_python

CELLS = [
    "import numpy as np, math\nfrom numba import njit\nboom = 1 / 0",
    "%matplotlib inline\nimport time\n!ls\nhelper_value = 2",
    "def unused():\n    return math.pi\n\n\nprint('shown')\nlater = helper_value + 1",
    "this is no Python",
    "@njit\ndef helper(x):\n    return scale(x) + later",
    "%%time\n@njit\ndef answer(values):\n    boom_not_global = values\n    return helper(boom_not_global)",
    "scale = abs",  # after the answer
]


def cells(*texts, own=False):
    """Cells of code, the last of them the answer, which is the learner's in any case."""
    last = len(texts) - 1
    return [Cell(n, "07_prange.ipynb", as_python(t), own or n == last) for n, t in enumerate(texts)]


def chosen(*texts, own=False):
    """The text of the statements that the last cell needs of the others."""
    *before, last = cells(*texts, own=own)
    found = [
        ast.parse(cell.text).body[number]
        for cell, numbers in zip(before, needed(before, last), strict=True)
        for number in numbers
    ]
    return ast.unparse(ast.Module(found, []))


def plain(text):
    """A program in the layout of `chosen`."""
    return ast.unparse(ast.parse(text))


def test_cells_are_called_by_their_places():
    (cell,) = cells("# a comment\n\n  x = 1")
    assert (cell.name, cell.file, cell.first_line) == (
        "cell 1 of 07_prange.ipynb",
        "07_prange_cell_1.py",
        "x = 1",
    )


# Cells of the course: statement by statement


def test_what_the_answer_needs_is_found_and_nothing_else():
    assert chosen(*CELLS[:-1]) == (
        "from numba import njit\n"
        "helper_value = 2\n"
        "later = helper_value + 1\n\n"
        "@njit\ndef helper(x):\n    return scale(x) + later"
    )


def test_name_that_is_bound_several_times_is_bound_as_often():
    assert chosen("x = 1", "x += 1", "y = 1", "f = lambda: x") == "x = 1\nx += 1"


@pytest.mark.parametrize(
    "change",
    [
        "table[0] = 5",
        "table.rows[0].size = 5",
        "del table[0]",
        "table.sort()",
        "table[1:].fill(3)",
        "fill(table)",
        "fill(table[1:], by=2)",
        "np.add(1, 2, out=table)",
        "total = np.cumsum([1], out=table)",
        "for n in range(3):\n    table[n] = n",
        "with quiet:\n    if True:\n        fill(values=table)",
        "@overload(helper)\ndef typed(x):\n    return None",
    ],
)
def test_what_a_cell_changes_in_place_is_changed_again(change):
    found = chosen("table = make()\ndef helper(): pass", change, "f = lambda: helper(table)")
    assert found == plain(f"table = make()\ndef helper(): pass\n{change}")


@pytest.mark.parametrize(
    "shown",
    [
        "print(table)",
        "exercises.answer.check(table)",
        "lens.races(helper, table)",
        "predict.light.outcome(table)",
        "helper.inspect_types()",
        "helper(2)",
        "other[0] = table",
        "fill(other)",
        "total = table.sum()",
        "def fill():\n    table[0] = 1",
        "f(lambda: table.sort())",
    ],
)
def test_what_a_cell_only_shows_does_not_run_again(shown):
    cells = ["table = make()\ndef helper(): pass", shown, "f = lambda: helper(table)"]
    assert chosen(*cells) == plain(cells[0])


@pytest.mark.parametrize("cell", ["def f(:", "return math", "f = '\0'"])
def test_answer_that_is_no_python_needs_nothing(cell):
    assert chosen("import math", cell) == ""


# Cells of the learner's own: as a whole

ANSWER = "@njit\ndef double(values):\n    return FACTOR * np.sum(values) * helper(values)"


@pytest.mark.parametrize(
    "cell",
    [
        "FACTOR = 2\n1 / 0\nFACTOR = 3",
        "def spoil():\n    global FACTOR\n    FACTOR = 3\n\nspoil()",
        "del FACTOR",
        "seen = spoil(FACTOR)",
        "other = [FACTOR]",
        "def fill():\n    FACTOR[:] = 2",
        "x = helper(3)",
        "np.sum = None",
        "np.random.seed(3)",
        "%timeit fill(FACTOR)",
        "%%timeit\nfill(FACTOR)",
        "%time FACTOR = 2",
        "%%capture FACTOR\nx = 1",
        "for FACTOR in range(3):\n    pass",
        "import os\nos._exit(3)\nfrom numba import njit",
    ],
)
def test_own_cell_that_has_to_do_with_what_the_answer_reads_is_needed_as_it_stands(cell):
    before = "FACTOR = 1\nimport numpy as np\ndef helper(x): pass"
    found = chosen(before, cell, ANSWER, own=True)
    assert found == plain(f"{before}\n{as_python(cell)}")


@pytest.mark.parametrize(
    "cell", ["import matplotlib\nx = np.pi", "print(math.pi)", "@njit\ndef another(x):\n    return np.sin(x)"]
)
def test_own_cell_that_has_not_is_left_out(cell):
    before = "FACTOR = 1\nimport numpy as np\nfrom numba import njit\ndef helper(x): pass"
    assert chosen(before, cell, ANSWER, own=True) == plain(before)


def test_what_may_stand_for_the_same_thing_is_followed():
    cells = ["table = [1]", "other = table", "def fill():\n    other[0] = 2", "fill()", "f = lambda: table"]
    assert chosen(*cells, own=True) == plain("\n".join(cells[:-1]))


@pytest.mark.parametrize(
    "cell",
    [
        "exec('FACTOR = 3')",
        "globals()['FACTOR'] = 3",
        "import sys\nsys.modules[__name__].FACTOR = 3",
        "import __main__\n__main__.FACTOR = 3",
        "setattr(module, 'FACTOR', 3)",
        "from factors import *",
        "%run factors.py",
        "%store -r FACTOR",
        "%%cython\nFACTOR = 3",
        "shell = get_ipython()",
        "from __future__ import annotations",
    ],
)
def test_own_cell_whose_text_does_not_tell_what_it_binds_leaves_nothing_certain(cell):
    assert not is_certain(cells(cell, ANSWER, own=True))
    assert not is_certain(cells(ANSWER, cell, own=True))


@pytest.mark.parametrize(
    "cell", ["FACTOR = 3", "!ls", "%matplotlib inline", "%%time\nx = 1", "%timeit f()", "def f(:", "f?"]
)
def test_text_that_tells_what_it_binds_leaves_all_certain(cell):
    assert is_certain(cells(cell, ANSWER, own=True))


def test_what_the_course_delivered_is_known():
    assert is_certain(cells("exec('x = 3')", ANSWER))
