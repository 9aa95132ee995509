"""nbval itself: it fails at a wrong output of any kind, and only there; it says that a kernel died.

One run of pytest goes over copies: of stored notebooks, with an output of each kind corrupted and all ⟨ ⟩ rewritten; of
a notebook in which each cell tries one thing; and of one that kills its kernel. Two stored ones do for all, as
`test_notebook_policy` holds that each cell of any has its count, without which nothing would be compared.
"""

import os
import re
import subprocess
import sys

import nbformat
import pytest

from numba_course.authoring import build
from numba_course.authoring.chapter_text import tags
from numba_course.authoring.stored_outputs import code_cells, normalise

# A solved one and a blank one, and the kinds of output to corrupt: all are stored and compared in the same way. These
# have each kind near their beginning, so that few cells are run.
CORRUPTED = {
    build.target_path(*build.text_files(["01_execution_model"]), solved=True): ("stream",),
    build.target_path(*build.text_files(["06_errors_and_debugging"]), solved=False): (
        "text/html",
        "text/plain",
    ),
}
KINDS = tuple(kind for kinds in CORRUPTED.values() for kind in kinds)
pytestmark = pytest.mark.load
# What can be corrupted in a text: a letter or digit outside ⟨ ⟩ and HTML tags.
TEXT = re.compile(r"⟨[^⟩]*⟩|<[^>]*>|cell\.py|([^\W_])")
IMPORT = "import os, sys, warnings; from IPython.display import HTML, display"
PNG = 'display({"image/png": "AAAA", "text/plain": "Figure: 2 lines"}, raw=True)'
# What one cell does, what is stored for it, and whether nbval must let it pass.
CASES = {
    "stdout": ("print('sum 3')", ["stdout", "sum 3\n"], True),
    "stdout, a digit": ("print('sum 3')", ["stdout", "sum 4\n"], False),
    "stderr": ("print('sum 3', file=sys.stderr)", ["stderr", "sum 4\n"], False),
    "another stream": ("print('sum 3')", ["stderr", "sum 3\n"], False),
    "result": ("1 + 1", ["text/plain", "3"], False),
    "html": ("display(HTML('<b>sum 3</b>'))", ["text/html", "<b>sum 4</b>"], False),
    "words of an image": (PNG, ["text/plain", "Figure: 3 lines"], False),
    "output missing now": ("None", ["stdout", "sum 3\n"], False),
    "output new": ("print('sum 3')", None, False),
    "timing in brackets": ("print('sum 3 in ⟨12 ms⟩')", ["stdout", "sum 3 in ⟨9.5 s⟩\n"], True),
    "text beside brackets": ("print('sum 3 in ⟨12 ms⟩')", ["stdout", "sum 4 in ⟨12 ms⟩\n"], False),
    "brackets missing": ("print('sum 3 in 12 ms')", ["stdout", "sum 3 in ⟨12 ms⟩\n"], False),
    "timing without brackets": ("print('12 ms')", ["stdout", "13 ms\n"], False),
    "address": ("print('0x7f3a5c2b1d30')", ["stdout", "0x7f3a5c2b1d40\n"], False),
    "file of a cell": (
        "warnings.warn('careful')",
        ["stderr", "cell.py:1: UserWarning: careful\n  warnings.warn('careful')\n"],
        True,
    ),
    "surroundings": (
        "print(sorted(name for name in os.environ if name.startswith(('NUMBA_', 'PYTEST_'))))",
        ["stdout", "['NUMBA_CACHE_DIR', 'NUMBA_COURSE_PROGRESS', 'NUMBA_NUM_THREADS']\n"],
        True,
    ),
}


def save(path, cells):
    notebook = nbformat.v4.new_notebook(cells=cells)
    normalise(notebook)
    nbformat.write(notebook, path)


def case_cell(source, stored):
    outputs = []
    if stored and stored[0].startswith("std"):
        outputs = [nbformat.v4.new_output("stream", name=stored[0], text=stored[1])]
    elif stored:
        plain = {} if stored[0] == "text/plain" else {"text/plain": "<IPython.core.display.HTML object>"}
        outputs = [nbformat.v4.new_output("display_data", data={stored[0]: stored[1], **plain})]
    return nbformat.v4.new_code_cell(source, outputs=outputs)


def copy_name(path):
    return f"{path.parent.name}-{path.name}"


def kinds(output):
    """The texts of an output by kind, as pairs of a dictionary and a key."""
    if output.output_type == "stream":
        return {"stream": (output, "text")}
    return {kind: (output.data, kind) for kind in output.get("data", {}) if kind in KINDS}


def corrupt(notebook, wanted, others):
    """Change one character of the first output of a kind outside some other cells; return its code cell."""
    for index, cell in enumerate(code_cells(notebook)):
        if index in others:
            continue
        for output in cell.outputs if "nbval-ignore-output" not in tags(cell) else ():
            for kind, (holder, key) in kinds(output).items():
                places = [found.start() for found in TEXT.finditer(holder[key]) if found[1]]
                if places and kind == wanted:
                    at = places[len(places) // 2]
                    new = "7" if holder[key][at] != "7" else "8"
                    holder[key] = holder[key][:at] + new + holder[key][at + 1 :]
                    return index
    raise ValueError(f"the notebook has no output of {wanted} to corrupt")


def rewrite_brackets(notebook):
    """Put something else into every ⟨ ⟩."""
    for cell in code_cells(notebook):
        for holder, key in (place for output in cell.outputs for place in kinds(output).values()):
            holder[key] = re.sub(r"⟨[^⟩\n]*⟩", "⟨rewritten⟩", holder[key])


def spoil(path, kinds, folder):
    """Store a copy with an output of each kind corrupted, up to the cell after it; return how its cells must end."""
    notebook, at = nbformat.read(path, as_version=4), []
    rewrite_brackets(notebook)
    for kind in kinds:
        at.append(corrupt(notebook, kind, at))
    notebook.cells = code_cells(notebook)[: max(at) + 2]
    nbformat.write(notebook, folder / copy_name(path))
    return ["FAILED" if index in at else "PASSED" for index in range(len(notebook.cells))]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """How each cell of each copy ended, by file name; the report; how those of the corrupted copies must end."""
    folder = tmp_path_factory.mktemp("copies")
    corrupted = {copy_name(path): spoil(path, kinds, folder) for path, kinds in CORRUPTED.items()}
    save(
        folder / "cases.ipynb", [case_cell(IMPORT, None), *(case_cell(*case[:2]) for case in CASES.values())]
    )
    crash = "import signal; os.kill(os.getpid(), signal.SIGSEGV)"
    save(folder / "crash.ipynb", [case_cell(text, None) for text in ("import os", crash, "x = 1", "y = 1")])
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-c", str(build.ROOT / "pyproject.toml")]
    command += ["--rootdir", str(folder), "-p", "no:cacheprovider", "-n0", "-rA", "--color=no", str(folder)]
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=build.ROOT, env=surroundings, capture_output=True, text=True)
    ended = {}
    for word, name, number in re.findall(
        r"^([A-Z]+) \S*?([\w-]+\.ipynb)::Cell (\d+)", done.stdout, re.MULTILINE
    ):
        ended.setdefault(name, {})[int(number)] = word
    ended = {name: [cells[i] for i in sorted(cells)] for name, cells in ended.items()}
    return ended, done.stdout + done.stderr, corrupted


@pytest.mark.parametrize("path", CORRUPTED, ids=copy_name)
def test_a_corrupted_output_fails_at_its_cell_and_nowhere_else(verdicts, path):
    ended, report, corrupted = verdicts
    expected = corrupted[copy_name(path)]
    assert expected.count("FAILED") == len(CORRUPTED[path])
    assert ended.get(copy_name(path)) == expected, report


@pytest.mark.parametrize("name", CASES)
def test_only_brackets_and_cell_files_are_not_compared(verdicts, name):
    ended, report, _ = verdicts
    index = 1 + list(CASES).index(name)
    assert len(ended.get("cases.ipynb", ())) == 1 + len(CASES), report
    assert ended["cases.ipynb"][index] == ("PASSED" if CASES[name][2] else "FAILED"), report


def test_a_dead_kernel_is_called_dead_and_the_cells_after_it_fail(verdicts):
    ended, report, _ = verdicts
    assert ended.get("crash.ipynb") == ["PASSED", "FAILED", "FAILED", "FAILED"], report
    tracebacks, _ = report.split(
        "short test summary info"
    )  # which repeats the reason where the line is long enough
    assert tracebacks.count("kernel died while running this cell (exit status ") == 1
    assert "Timeout" not in report
