"""A cell with commands for IPython as Python: what binds names still does, and each line stays where it is."""

import builtins

import pytest

from numba_course.host import Trouble
from numba_course.learner.ipython_syntax import as_python, undone


@pytest.mark.parametrize(
    "cell",
    [
        "x = 7 % 2\nif x != 2: pass",
        "x = (\n    7\n    % 2\n    != 0\n)",
        "x = 7 \\\n  % 2",
        "text = '''\n%time\n!ls\n'''",
        "# nothing",
        "",
        "await f()",
        "def f(:",
    ],
)
def test_python_stays_and_so_does_what_is_neither(cell):
    assert as_python(cell) == cell


@pytest.mark.parametrize(
    ("cell", "python"),
    [
        ("%time X = 3", "X = 3\n"),
        ("if x:\n    %time y = 'é'; z = 1\n    t = %time y", "if x:\n    y = 'é'; z = 1\n    t = y\n"),
        ("if x: é = %time y", "if x: é = y\n"),
        ("é = %time y", "é = y\n"),
        ("%%time\nx = 1", "# %%time\nx = 1"),
        ("\n\n%%time\n%time x = 1", "\n\n# %%time\nx = 1\n"),
        ("%%capture\n%%time\nx = 1", "# %%capture\n# %%time\nx = 1"),
        ("%%capture out\nx = 1", "out = get_ipython().run_cell_magic('capture', '', '')\nx = 1"),
        ("%%capture --no-stderr out\n1", "out = get_ipython().run_cell_magic('capture', '', '')\n1"),
        ("%%prun -s time\nx = 1", "# %%prun -s time\nx = 1"),
        ("%%timeit\nx = 1", "get_ipython().run_cell_magic('timeit', '', 'x = 1\\n')\n"),
        ("\n\n!ls\nx = 1", "\n\nget_ipython().system('ls')\nx = 1\n"),
        ("t = %timeit -o f()", "t = get_ipython().run_line_magic('timeit', '-o f()')\n"),
        ("f?\n?f\nx = 1", "%s%s" % (2 * ("get_ipython().run_line_magic('pinfo', 'f')\n",)) + "x = 1\n"),
        (">>> x = 1", "x = 1\n"),
        ("  x = 1\n  y = 2", "x = 1\ny = 2\n"),
    ],
)
def test_commands_become_python_line_by_line(cell, python):
    assert as_python(cell) == python


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("x = !ls -l", ["!ls -l"]),
        ("!!ls", ["!ls"]),
        ("%%bash\nls", ["%%bash"]),
        ("%%writefile own.py\nx = 1", ["%%writefile"]),
        ("%%cython\ndef f(): pass", ["%%cython"]),
        ("%store -r x", ["%store"]),
        ("%matplotlib inline\n%time f()\n%timeit f()\n%run own.py\nf?", []),
        ("%%html\n<b>", []),
        ("x = 1", []),
    ],
)
def test_commands_that_do_nothing_here_are_known(cell, found):
    assert undone(as_python(cell)) == found


def test_without_ipython_only_cells_that_need_it_are_refused_in_one_sentence(monkeypatch):
    ours = builtins.__import__

    def without(name, *others):
        if name.startswith("IPython"):
            raise ImportError(name)
        return ours(name, *others)

    monkeypatch.setattr(builtins, "__import__", without)
    assert as_python("x = 1") == "x = 1"
    with pytest.raises(Trouble, match=r"%time needs ipython: pip install .* brings it\.$"):
        as_python("%time x = 1")
