"""Generated modules on disk: shared by processes, never stale, never half written."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from numba_course.pipeline import Brightness, Pipeline, PipelineError, modules

pytestmark = pytest.mark.load


@pytest.fixture(autouse=True)
def forgotten():
    """This process forgets the modules that a test has it import, so that none meets those of another."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("numba_course_pipeline_"):
            del sys.modules[name]


BUILD = """
import sys
from numba.core import event
from numba_course.pipeline import Brightness, Pipeline
with event.install_recorder("numba:compile") as compiled:
    made = Pipeline([Brightness(float(sys.argv[1]))], (8, 8, 3))
import numpy as np
compilations = sum(what.is_start for _, what in compiled.buffer)
print(compilations, made(np.full((1, 8, 8, 3), 100, np.uint8)).max() > 100)
"""


def start(program, folder, *arguments):
    """A process that has its generated modules in a folder of its own."""
    surroundings = {**os.environ, "NUMBA_COURSE_CACHE": str(folder), "NUMBA_CACHE_DIR": ""}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, env=surroundings, stdout=subprocess.PIPE, text=True)


def finish(process, code=0):
    """The words that it printed."""
    said, _ = process.communicate(timeout=120)
    assert process.returncode == code
    return said.split()


def test_another_process_loads_the_machine_code_and_never_a_stale_one(tmp_path):
    first, second, other = (finish(start(BUILD, tmp_path, amount)) for amount in ("0.5", "0.5", "0.0"))
    assert int(first[0]) > 0 and int(second[0]) == 0 and int(other[0]) > 0
    assert first[1] == second[1] and other[1] == "False"
    assert not list(tmp_path.glob("*.tmp"))


KILLED = """
import os
from numba_course.pipeline import modules
os.replace = lambda source, target: os._exit(9)
modules.load_module("k", "value = 1")
"""


def test_a_process_that_is_killed_while_it_writes_leaves_no_broken_module(tmp_path, monkeypatch):
    finish(start(KILLED, tmp_path), code=9)
    assert not (tmp_path / "numba_course_pipeline_k.py").exists()
    monkeypatch.setenv("NUMBA_COURSE_CACHE", str(tmp_path))
    assert modules.load_module("k", "value = 1").value == 1


def test_two_processes_that_begin_together_compile_once(tmp_path):
    both = [start(BUILD, tmp_path, "0.25") for _ in range(2)]
    (none, _), (all_of_it, _) = sorted((finish(process) for process in both), key=lambda said: int(said[0]))
    assert (int(none), int(all_of_it) > 0) == (0, True)


STUCK = """
import sys, threading
from numba.core import event
from numba_course.pipeline import Brightness, Pipeline, modules
class Stuck(event.Listener):
    def on_start(self, what):
        print("compiling", flush=True)
        threading.Event().wait()
    def on_end(self, what):
        pass
event.register("numba:compile", Stuck())
Pipeline([Brightness(0.25)], (8, 8, 3))
"""
WAITING = """
from numba_course.pipeline import modules
acquire = modules.FileLock.acquire
def told(*args, **options):
    print("waits", flush=True)
    return acquire(*args, **options)
modules.FileLock.acquire = told
"""


def test_a_process_that_is_killed_while_it_compiles_lets_the_next_one_go_on(tmp_path):
    with start(STUCK, tmp_path) as stuck:
        try:
            assert stuck.stdout.readline() == "compiling\n"
            waiting = start(WAITING + BUILD, tmp_path, "0.25")
            assert waiting.stdout.readline() == "waits\n"
            with pytest.raises(subprocess.TimeoutExpired):
                waiting.wait(1)  # or it would compile, too
        finally:
            stuck.kill()
    assert int(finish(waiting)[0]) > 0


def test_who_finds_machine_code_waits_for_nobody(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_COURSE_CACHE", str(tmp_path))
    cold = Pipeline([Brightness(0.625)], (8, 8, 3))
    del sys.modules[modules._name(cold.program.key)]
    with modules.FileLock(tmp_path / f"{modules._name(cold.program.key)}.lock"):
        monkeypatch.setattr(modules, "FileLock", None)
        warm = Pipeline([Brightness(0.625)], (8, 8, 3))
    assert sum(warm._function.stats.cache_hits.values()) == 1


def test_threads_that_build_the_same_pipeline_wait_for_each_other(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_COURSE_CACHE", str(tmp_path))
    at_once, most, check = 0, 0, threading.Lock()

    def compile_nothing(self):
        nonlocal at_once, most
        with check:
            at_once += 1
            most = max(most, at_once)
        threading.Event().wait(0.05)
        with check:
            at_once -= 1

    monkeypatch.setattr(Pipeline, "_compile", compile_nothing)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: Pipeline([Brightness(0.75)], (8, 8, 3)), range(4)))
    assert most == 1 and len({each._function for each in made}) == 1


def test_a_folder_that_has_no_lock_does_without(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_COURSE_CACHE", str(tmp_path))
    (tmp_path / "numba_course_pipeline_unlocked.lock").mkdir()
    with modules.alone("unlocked"):
        assert modules.load_module("unlocked", "value = 3").value == 3


def test_what_a_killed_writer_left_goes_with_time(tmp_path):
    old, new = tmp_path / "old.tmp", tmp_path / "new.tmp"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (0, 0))
    modules._write(tmp_path / "module.py", "value = 4")
    assert not old.exists() and new.exists()


def test_what_somebody_cut_off_is_written_again(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_COURSE_CACHE", str(tmp_path))
    (tmp_path / "numba_course_pipeline_cut.py").write_text("val")
    assert modules.load_module("cut", "value = 2").value == 2


def test_a_module_that_fails_is_not_left_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_COURSE_CACHE", str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        modules.load_module("fails", "1 / 0")
    assert "numba_course_pipeline_fails" not in sys.modules


WRITE = """
import sys
from pathlib import Path
from numba_course.pipeline import modules
text = "value = '" + "x" * 1_000_000 + "'\\n"
for turn in range(12):
    modules._write(Path(sys.argv[1]) / "module.py", text + f"turn = {turn % 2}\\n")
    assert len((Path(sys.argv[1]) / "module.py").read_text()) == len(text) + 9, "half a file was seen"
"""


def test_processes_that_write_at_the_same_time_see_whole_files_only(tmp_path):
    for process in [start(WRITE, tmp_path, str(tmp_path)) for _ in range(2)]:
        finish(process)
    assert [path.name for path in tmp_path.iterdir()] == ["module.py"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_COURSE_CACHE", str(tmp_path / "file"))
    with pytest.raises(PipelineError, match="NUMBA_COURSE_CACHE"):
        Pipeline([Brightness(0.123)], (8, 8, 3))
