"""A program is run as python would: what it sees, what it prints, how it ends; and then comes the report."""

import json
import subprocess
import sys
import traceback

import pytest
from numba import njit

from numba_course.lens import program
from numba_course.lens.recording.calls import Recorder

SEEN = """
'''What is it?'''
import sys, __main__
value: int = 3
class Mine: pass
print(sys.argv, sys.path[0], __name__, __file__, __doc__, getattr(__spec__, "name", None), __package__, sorted(vars()))
print(__main__.Mine is Mine, Mine.__module__, __annotations__, "numba" in sys.modules)
"""
ENDS = {
    "returns": "print(1)",
    "exit code": "import sys; sys.exit(7)",
    "exit text": "import sys; sys.exit('what a pity')",
    "exit large": "import sys; sys.exit(256 + 3)",
    "raises": "def f():\n    raise ValueError('oh')\n\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    f()\n",
    "syntax": "def f(:\n",
    "threads": "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.2), print('later'))).start()\n",
    "at exit": "import atexit; atexit.register(print, 'bye')",
    "closes stdout": "import sys; sys.stdout.close()",
    "goes elsewhere": "import atexit, os; os.chdir('/'); atexit.register(lambda: print(os.getcwd()))",
}


def run(folder, *command):
    return subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, encoding="utf-8")


def alike(folder, *command):
    """What a program printed, and how it ended, once by python and once by the lens; but for the report."""
    usual, ours = run(folder, *command), run(folder, "-m", "numba_course.lens", *command)
    said = ours.stderr.replace("no compiled function was seen to be called from Python\n", "")
    assert (ours.returncode, ours.stdout, said) == (usual.returncode, usual.stdout, usual.stderr)
    assert said != ours.stderr
    return usual


def test_a_script_and_a_module_see_what_python_shows_them(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "seen.py").write_text(SEEN, encoding="utf-8")
    assert alike(tmp_path, "inner/seen.py", "-m", "--json", "x").stdout.startswith(
        "['inner/seen.py', '-m', '--json', 'x']"
    )
    module = (tmp_path / "inner" / "seen.py").rename(tmp_path / "inner" / "__main__.py")
    alike(tmp_path, "inner", "x")
    ours = run(tmp_path, "-m", "numba_course.lens", "-m", "inner", "--html", "x")
    assert ours.stdout.startswith(f"['{module}', '--html', 'x'] {tmp_path} __main__ {module}")


@pytest.mark.parametrize("text", ENDS.values(), ids=ENDS)
def test_it_ends_as_with_python(tmp_path, text):
    (tmp_path / "script.py").write_text(text, encoding="utf-8")
    alike(tmp_path, "script.py")


def test_what_is_not_there_is_said_as_python_says_it(tmp_path):
    alike(tmp_path, "nothing.py")
    alike(tmp_path, "-m", "nothing_of_that_name")
    none = run(tmp_path, "-m", "numba_course.lens", "--json", "x")
    assert none.returncode == 2 and "name a script, or -m and a module" in none.stderr


def test_the_report_is_on_stderr_and_in_files_and_the_program_may_set_numba_up(tmp_path):
    (tmp_path / "script.py").write_text(
        """
import os
os.environ["NUMBA_NUM_THREADS"] = "1"
import numpy as np
from numba import config, njit, prange

@njit(parallel=True)
def histogram(indices, counts):
    for i in prange(indices.size):
        counts[indices[i]] += 1

counts = np.zeros(4)
histogram(np.arange(40) % 4, counts)
print(counts, config.NUMBA_NUM_THREADS)
os.chdir("/")
raise SystemExit(5)
""",
        encoding="utf-8",
    )
    ours = run(
        tmp_path, "-m", "numba_course.lens", "--json", "new/report.json", "--html=page.html", "script.py"
    )
    assert (ours.returncode, ours.stdout) == (5, "[10. 10. 10. 10.] 1\n")
    assert "script.py:7: histogram: race: iterations 0 and 4 both write counts[0]" in ours.stderr
    (row,) = json.loads((tmp_path / "new/report.json").read_text("utf-8"))["functions"]
    assert row["name"] == "histogram" and row["seen"]["race"]["short"] == "RACE"
    assert "counts[0]" in (tmp_path / "page.html").read_text("utf-8")


@pytest.mark.parametrize("command", ["calls", "profile"])
def test_what_cannot_be_told_or_written_is_no_error_of_the_program(tmp_path, command, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    (tmp_path / "script.py").write_text("import sys; print(1); sys.stderr.close()", encoding="utf-8")
    ours = run(tmp_path, "-m", "numba_course.lens", command, "--json=script.py/x.json", "script.py")
    assert (ours.returncode, ours.stdout, ours.stderr) == (0, "1\n", "")
    (tmp_path / "script.py").write_text("print(1)", encoding="utf-8")
    ours = run(tmp_path, "-m", "numba_course.lens", command, "script.py")
    assert (ours.returncode, ours.stdout) == (0, "1\n") and "NUMBA_DISABLE_JIT is set" in ours.stderr


def test_a_file_that_cannot_be_written_is_told_and_options_that_say_nothing_are_refused(tmp_path):
    (tmp_path / "script.py").write_text("print(1)", encoding="utf-8")
    ours = run(tmp_path, "-m", "numba_course.lens", "--json=script.py/x.json", "script.py")
    assert ours.returncode == 0 and "x.json could not be written: " in ours.stderr
    for options in (("--seconds=nan",), ("--seconds=-5",), ("profile", "--seconds=5")):
        ours = run(tmp_path, "-m", "numba_course.lens", *options, "script.py")
        assert (ours.returncode, ours.stdout) == (2, "") and "--seconds" in ours.stderr


@njit
def refuse(x):
    raise ValueError("oh")


def test_the_recorder_is_in_no_traceback(monkeypatch):
    def work():
        try:
            refuse(1)
        except ValueError:
            refuse(2)

    shown = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: shown.extend(traceback.format_exception(*error)))
    with Recorder().recording() as recorder:
        assert program._ended(work) == 1
    assert recorder.called and "in work" in "".join(shown)
    assert "recording" not in "".join(shown) and "During handling" in "".join(shown)
