"""The profile of a whole program, in a process of its own."""

import os
import subprocess
import sys

import pytest

from numba_course.host import ROOT
from numba_course.lens.profiling import _sampling

pytestmark = [
    pytest.mark.load,
    pytest.mark.skipif(bool(_sampling.refusal()), reason="samples are taken on x86-64 Linux only"),
]
PROGRAM = """
import math, sys
from numba import njit

@njit(cache=True)
def slow(n):
    total = 0.0
    for i in range(n):
        total += math.sin(i)  # the slow line
    return total

for _ in range(40):
    slow(200_000)
print("arguments:", sys.argv[1:], __name__)
sys.exit(3)
"""
RUN = """
import signal, sys
from numba_course.lens.profiling import program
from numba_course.lens.program import Program
seen, code = program.run(Program(sys.argv[1], tuple(sys.argv[2:])))
assert code == 3
print(repr(seen))
print(seen.lines[0].line, seen.ended, signal.getsignal(signal.SIGPROF), signal.getitimer(signal.ITIMER_PROF))
"""


def test_a_program(tmp_path):
    (tmp_path / "script.py").write_text(PROGRAM)
    command = [sys.executable, "-c", RUN, str(tmp_path / "script.py"), "--fast"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "arguments: ['--fast'] __main__" in done.stdout
    line = 1 + PROGRAM.splitlines().index("        total += math.sin(i)  # the slow line")
    assert f"{line} ended with 3 {signal_default()} (0.0, 0.0)" in done.stdout, done.stdout + done.stderr
    assert not list(tmp_path.glob("__pycache__/*.nbi"))  # no disk cache was written


def test_nothing_stays_of_a_program_that_ends_itself(tmp_path):
    (tmp_path / "script.py").write_text("import os; os._exit(7)")
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "numba_course.lens", "profile", str(tmp_path / "script.py")]
    assert subprocess.run(command, env=environment).returncode == 7
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def signal_default():
    """As the program prints a handler that was never set."""
    import signal

    return signal.SIG_DFL
