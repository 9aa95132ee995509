"""Cells that run again: with the outcome that they had in the notebook, and without what nobody asked for again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from numba_course.host import ROOT
from numba_course.learner.cell_runs import Plan, Reached
from numba_course.learner.ipython_syntax import as_python


def plan(folder, *cells, numbers=None):
    """A plan for cells, the last of them the answer, with files beside the learner's folder."""
    files = []
    for number, cell in enumerate(cells):
        files.append(folder.parent / f"cell_{number}.py")
        files[-1].write_text(as_python(cell), encoding="utf-8")
    *before, last = map(str, files)
    reached = str(folder.parent / "reached.json")
    return Plan("answer", str(folder), [(file, numbers) for file in before], last, reached)


MODULE = """import sys, types
module = sys.modules["answer"] = types.ModuleType("answer")
module.__file__ = __file__
"""


def run(planned, around="{}"):
    """Follow a plan in a process of its own, as a check does; return the names that the answer's cell shows as JSON."""
    folder = Path(planned.folder).parent
    program, text = folder / "answer.py", planned.program(folder / "plan.json")
    followed = f"{MODULE}exec({around.format(text)!r}, vars(module))\n"
    program.write_text(followed, encoding="utf-8")
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, program], capture_output=True, text=True, env=variables, check=False
    )
    return json.loads(done.stdout) if done.stdout else done.stderr


def shown(names):
    """A cell that binds the answer and shows these names."""
    return f"import json\nanswer = json.dumps([{names}])\nprint(answer)"


@pytest.fixture
def folder(tmp_path):
    folder = (tmp_path / "Zoë Ōta").resolve()
    folder.mkdir()
    return folder


def test_commands_of_python_bind_and_do_what_they_did(folder):
    (folder / "own.py").write_text("import sys\nran, words = __name__, sys.argv[1:]\n1 / 0", encoding="utf-8")
    (folder / "here.py").write_text("x += 1", encoding="utf-8")
    (folder / "data").mkdir()
    cells = [
        "x = 0\n%time x = 1",
        "%run own.py a 'b c'",
        "%run -i here",
        "table = [0]\n%timeit -n 3 -r2 table[0] = table[0] + 1",
        "t = %timeit -o -n 1 sum(table)\nbest = t.best > 0 and t.average == t.all_runs[0] == t.timings[0]",
        "%%timeit step = 5\nz = step\ntable[0] += z",
        "%%capture out\nprint(3)\ny = out.stdout",
        "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 7\nwaited = await f()",
        "%cd data\n%env OWN = 3\nimport os\nplace, own = os.getcwd(), os.environ['OWN']\n%cd ..",
        "if __name__ == '__main__':\n    main = get_ipython().user_ns is globals()",
        "%matplotlib inline\nx?\nfolder = os.listdir()",
    ]
    names = "x, ran, words, table, best, y, waited, os.path.basename(place), own, main, 'z' in globals()"
    assert run(plan(folder, *cells, shown(names))) == [
        *(2, "__main__", ["a", "b c"], [6], True, "", 7, "data", "3", True, False),
    ]


def test_nothing_of_the_system_and_no_other_language_runs_again(folder):
    cells = [
        "listed = !touch ran\nlines = [*listed, *listed.grep('a'), listed.n, *listed.l]",
        "!touch ran\n!!touch ran",
        "%%bash\ntouch ran",
        "%%writefile ran\nx",
        "%%script python\nopen('ran', 'w')",
        "%%html\n<b>",
        "%unheard_of ran",
        f"outside = 1\n%run {__file__}\noutside = 2",
        "%cd /\nimport os\nplace = os.getcwd()",
    ]
    assert run(plan(folder, *cells, shown("lines, outside, place"))) == [[""], 1, str(folder)]
    assert list(folder.iterdir()) == []


def test_each_cell_has_its_lines_its_future_and_its_errors(folder):
    cells = [
        "x = 1\nraise SystemExit('en\ud83d'.encode('utf-8', 'replace').decode())\nx = 2",
        "class Odd(Exception):\n    def __str__(self): raise self\nraise Odd",
        "def f(:",
        "from __future__ import annotations",
        "import inspect\n\n\ndef g(a: nowhere):\n    return 1\n",
        "import numba_course.exercises as exercises\nexercises.records.record_hint('double', 1)\nprint(3)",
    ]
    planned = plan(folder, *cells, shown("x, g.__code__.co_firstlineno, inspect.getsource(g)"))
    assert run(planned) == [1, 4, "def g(a: nowhere):\n    return 1\n"]
    assert [error.partition(":")[0] for _, error in planned.state.raised] == [
        "SystemExit",
        "Odd",
        "SyntaxError",
    ]
    assert planned.state.raised[0] == ("cell_0.py", "SystemExit: en?")
    assert planned.state.running == ""


def test_statements_that_were_chosen_run_and_keep_their_lines(folder):
    cells = ["\ndef f():\n    pass\nx = 1", "y = f.__code__.co_firstlineno\nx = 3"]
    assert run(plan(folder, *cells, shown("y, 'x' in globals()"), numbers=[0])) == [2, False]


def test_answer_that_raises_is_there_if_it_was_bound_before(folder):
    around = "{}\nprint(answer)"
    assert run(plan(folder, "answer = 3", "answer = 4\n1 / 0"), around) == 4
    assert run(plan(folder, "answer = 3", "1 / 0\nanswer = 4"), around).endswith(
        "ZeroDivisionError: division by zero\n"
    )


def test_pool_of_processes_does_what_it_did(folder):
    import multiprocessing

    if multiprocessing.get_all_start_methods()[0] != "fork":
        pytest.skip("here a pool does not know the functions of a notebook either")
    cells = [
        "from multiprocessing import Pool\ndef f(x): return x + 1",
        "with Pool(1) as pool:\n    found = pool.map(f, [1])",
    ]
    assert run(plan(folder, *cells, shown("found"))) == [[2]]


def test_what_cells_before_an_answer_compile_is_not_laid_to_its_charge(folder):
    around = (
        "import warnings\nfrom numba.core import event\n"
        "with event.install_recorder('numba:compile') as seen, warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always')\n    {}\n"
        "print([len(seen.buffer) // 2, len(said)])"
    )
    compiled = (
        "from numba import njit\nimport warnings\nwarnings.warn('x')\n@njit('i8(i8)')\ndef {}(x): return x"
    )
    assert run(plan(folder, compiled.format("f"), compiled.format("answer")), around) == [1, 1]


@pytest.mark.parametrize(
    "told",
    [
        b"{",
        b"[]",
        b"[" * 10_000,
        b'{"running": ["cell_0.py"], "raised": []}',
        b'{"running": "", "raised": [3]}',
        b'{"running": "/etc/passwd", "raised": [["/etc/passwd", "x"]]}',
        b'{"running": "\xff", "raised": []}',
    ],
)
def test_what_a_cell_may_have_written_about_its_end_is_not_trusted(folder, told):
    planned = plan(folder, "x = 1", "answer = 1")
    Path(planned.reached).write_bytes(told)
    assert planned.state == Reached()
