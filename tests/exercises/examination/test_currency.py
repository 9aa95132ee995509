"""An answer that a failed cell was to replace is an older one; whatever came about otherwise is not suspected."""

import asyncio
import json
import os
import subprocess
import sys

import nbformat
import pytest

from numba_course.authoring import notebook_kernels

SCRIPT = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
from numba_course.exercises.examination.currency import outdated, watch

settings = Config()
settings.HistoryManager.enabled = False
found = {}
for name, cells in json.loads(sys.argv[1]).items():
    shell = InteractiveShell.instance(config=settings)
    shell.user_ns["outdated"] = outdated
    watch()
    for cell in cells:
        text, place = cell if isinstance(cell, list) else (cell, None)
        shell.run_cell(text, store_history=True, cell_id=place)
    shell.run_cell("seen = outdated('double', double)", store_history=True)
    found[name] = seen.seen if (seen := shell.user_ns["seen"]) else ""
    InteractiveShell.clear_instance()
print("\\n" + json.dumps(found))
"""
OLD = "from numba import njit\n\n@njit\ndef double(v):\n    return 2 * v\n"
NEW = "from numba import njit\n\n@njit\ndef double(v):\n    return v + v\n"
FAILS = f"import not_there\n{NEW}"
PLAIN = "def double(v):\n    return v\n"
DECORATOR = f"def twice(f):\n    def inner(v):\n        return f(v)\n    return inner\n\n{PLAIN}"
CLASS = "class double:\n    def value(self):\n        return {}\n"
OLDER = {
    "does not parse": ([OLD, NEW.replace(":", "")], "SyntaxError"),
    "an import fails": ([OLD, FAILS], "ModuleNotFoundError"),
    "other cells between": ([OLD, "1", FAILS, "2", "double(3)"], "ModuleNotFoundError"),
    "other cells fail": ([OLD, FAILS, "1 / 0"], "ModuleNotFoundError"),
    "ends before": ([OLD, f"raise SystemExit\n{NEW}"], "SystemExit"),
    "a class": ([CLASS.format(1), CLASS.format("1 +")], "SyntaxError"),
}
RENAMED = {
    "renamed": [[OLD, "a"], [OLD.replace("double", "doubel"), "a"]],
    "renamed at last": [
        [OLD, "a"],
        [NEW, "a"],
        ["1", "b"],
        [OLD.replace("double", "doubel"), "a"],
        ["2", "b"],
    ],
}
CURRENT = {
    "another cell defines more": [[OLD, "a"], [OLD.replace("double", "doubel"), "b"]],
    "named back": [[OLD, "a"], [OLD.replace("double", "doubel"), "a"], [OLD, "a"]],
    "its cell is used for something else": [[OLD, "a"], ["print(double(3))", "a"]],
    "now in another cell": [[OLD, "a"], [NEW, "b"], [OLD.replace("double", "doubel"), "a"]],
    "once": [OLD],
    "edited": [OLD, NEW],
    "mended": [OLD, FAILS, NEW],
    "back to the old text": [OLD, FAILS, OLD],
    "fails after it": [OLD, f"{NEW}\n1 / 0"],
    "timed": [OLD, FAILS, f"%%time\n{NEW}"],
    "captured": [OLD, FAILS, f"%%capture\n{NEW}"],
    "run": [],  # its cells name a file
    "imported": [OLD, FAILS, "from answer_in_a_file import double"],
    "imported as": [OLD, FAILS, "from answer_in_a_file import double as double"],
    "all imported": [OLD, FAILS, "from answer_in_a_file import *"],
    "assigned": [OLD, "kept = double", FAILS, "double = kept"],
    "executed": [OLD, FAILS, "exec('double = double')"],
    "under a condition": [OLD, "if False:\n    def double(v): pass\n1 / 0"],
    "decorated in the cell of the old one": [DECORATOR, f"@twice\n{PLAIN}"],
    "another name": ["def triple(v):\n    return v\n\ndouble = triple", FAILS],
    "a shell command in it": [OLD, f"!true\n{FAILS}"],
    "no function": ["double = 3", FAILS],
    "it was there": [OLD, "def check():\n    double = 1", "nothing_of_this_name"],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """From the name of each session to what is said of `double` after its cells."""
    folder = tmp_path_factory.mktemp("session")
    file = folder / "answer_in_a_file.py"
    file.write_text(OLD)
    sessions = {name: cells for name, (cells, _) in OLDER.items()}
    sessions |= RENAMED | CURRENT | {"run": [OLD, FAILS, f"%run -n {file}"]}
    environment = {**os.environ, "IPYTHONDIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", SCRIPT, json.dumps(sessions)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", OLDER)
def test_an_answer_that_a_failed_cell_was_to_replace_is_an_older_one(found, name):
    start = f"this is an older answer: your last cell that defines `double` ended with {OLDER[name][1]};"
    assert found[name].startswith(start)


@pytest.mark.parametrize("name", RENAMED)
def test_an_answer_whose_cell_now_defines_something_else_is_an_older_one(found, name):
    assert found[name].startswith(
        "this is an older answer: its cell now defines `doubel`; name that `double`"
    )


@pytest.mark.parametrize("name", CURRENT)
def test_what_came_about_otherwise_is_not_suspected(found, name):
    assert found[name] == ""


def test_without_ipython_nothing_is_older():
    code = (
        "import sys; from numba_course.exercises.examination.currency import outdated; "
        "print(outdated('f', lambda: 1), 'IPython' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "None False\n"


def test_in_a_real_kernel_the_card_says_so_and_the_mended_cell_is_judged(tmp_path):
    check = "from numba_course import exercises\nprint(exercises.double.examine(double))"
    broken = NEW.replace("v + v", "v +")
    cells = [OLD, check, broken, check, NEW, check, f"%%time\n{OLD}", check]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.cells[2].metadata.tags = ["raises-exception"]
    asyncio.run(notebook_kernels.execute(notebook, tmp_path))
    said = [cell.outputs[-1].text for cell in notebook.cells if cell.source == check]
    assert [text.split()[0] for text in said] == ["✓", "✗", "✓", "✓"]
    assert "is an older answer: your last cell that defines `double` ended with SyntaxError" in said[1]
