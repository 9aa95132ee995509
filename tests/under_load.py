"""Repeat the tests that a busy machine could make fail, where it is busy: ``python tests/under_load.py``.

Tests with the mark `load` look at clocks, threads, processes or the GIL. Here each of them is repeated on two cores, on
two cores beside two programs that never rest, and on one core, alone and beside one such program. All repetitions of
a setting share one process, so that what it costs to begin is paid once; fixtures are made anew each time. What
failed is told with how often, where, and what was said first; then the exit status is 1.

    python tests/under_load.py -n 100 --setting "one core" -k timeline
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LINES = 12  # of a failure that are shown
# Of pytest: what only takes time to load, and what would be said besides.
WITHOUT = """-o addopts= --import-mode=importlib -q --tb=no -rN -o console_output_style=classic -p no:cacheprovider
    -p no:nbval -p no:hypothesispytest -p no:anyio -p no:xdist""".split()
BUSY = """
import os, sys, threading
def end_with_who_started_it():
    sys.stdin.read()
    os._exit(0)
threading.Thread(target=end_with_who_started_it).start()
print("busy", flush=True)
while True:
    pass
"""


class Setting(NamedTuple):
    """On how many cores the tests run, and beside how many busy programs on the same cores."""

    cores: int
    programs: int


SETTINGS = {
    "two cores": Setting(2, 0),
    "two cores, two busy programs": Setting(2, 2),
    "one core": Setting(1, 0),
    "one core, one busy program": Setting(1, 1),
}


class Failure(NamedTuple):
    """A test that failed in one repetition, and what it said."""

    test: str
    turn: int
    said: str


@contextmanager
def surroundings(setting):
    """Keep this process and what it starts to some cores, and keep those busy."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(everywhere)[: setting.cores])
    try:
        with ExitStack() as running:
            for _ in range(setting.programs):
                running.enter_context(busy_program())
            yield
    finally:
        os.sched_setaffinity(0, everywhere)


@contextmanager
def busy_program():
    """A process that never rests. It ends with this one, however this one ends: then it sees the end of its input."""
    program = subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with program:
        program.stdout.readline()  # it is busy now
        try:
            yield program
        finally:
            program.kill()


def repeated(setting, tests, options):
    """Repeat tests in a setting.

    Returns
    -------
    list of Failure
    int
        pytest's exit status: 0 or 1 if all repetitions were made.
    """
    with tempfile.TemporaryDirectory() as folder, surroundings(setting):
        failures = Path(folder) / "failures"
        command = [sys.executable, "-m", "pytest", "-p", "tests.under_load", *WITHOUT, *tests, *options]
        command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), "--failures", str(failures)]
        status = subprocess.run(command, cwd=ROOT).returncode
        lines = failures.read_text(encoding="utf-8").splitlines() if failures.exists() else []
    return [Failure(*json.loads(line)) for line in lines], status


def marked():
    """The files with tests that have the mark, found by their text: to import all would take longer."""
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    return [str(path) for path in files if "mark.load" in path.read_text(encoding="utf-8")]


def told(found, times):
    """The failures as text; `found` has those of each setting by its name."""
    count, first = defaultdict(Counter), {}
    for name, failures in found.items():
        for test, _ in {(failure.test, failure.turn) for failure in failures}:
            count[test][name] += 1
        for failure in failures:
            first.setdefault(failure.test, (name, failure))
    for test, often in count.items():
        yield f"{test} failed " + "; ".join(f"{n} of {times} times on {name}" for name, n in often.items())
        name, failure = first[test]
        yield f"  first at repetition {failure.turn} on {name}:"
        yield from (f"    {line}" for line in failure.said.splitlines()[:LINES])


def main():
    """Repeat, tell, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tests", nargs="*", help="files or tests; else all that have the mark")
    parser.add_argument("-n", "--times", type=int, default=30, help="repetitions in each setting")
    parser.add_argument("--setting", action="append", choices=SETTINGS, help="may be given again; else all")
    parser.add_argument("-k", default="", help="choose tests by their names, as pytest does")
    parser.add_argument("--longest", default="inf", help="seconds; a test that took longer is not repeated")
    chosen = parser.parse_args()
    if not hasattr(os, "sched_setaffinity"):
        parser.error("this system does not say on which cores a process runs; Linux does")
    tests = [str(Path(test).absolute()) for test in chosen.tests] or marked()
    options = ["-m", "load", "-k", chosen.k, "--times", str(chosen.times), "--longest", chosen.longest]
    found, wrong = {}, False
    for name in chosen.setting or SETTINGS:
        print(f"\n{name}:", flush=True)
        found[name], status = repeated(SETTINGS[name], tests, options)
        if status not in (0, 1):
            print(f"on {name} pytest did not come to its end: exit status {status}")
            wrong = True
    print("\n" + ("\n".join(told(found, chosen.times)) or "no test failed"))
    return 2 if wrong else int(any(found.values()))


# What follows is a plugin, which repeats the tests of one process of pytest.


def pytest_addoption(parser):
    parser.addoption("--times", type=int, default=1)
    parser.addoption("--longest", type=float, default=float("inf"))
    parser.addoption("--failures", type=Path)


def pytest_configure(config):
    if config.getoption("failures"):
        config.pluginmanager.register(_Repetitions(config))


class _Repetitions:
    """Runs all tests again and again, and writes down what failed as soon as it has."""

    def __init__(self, config):
        self.config, self.turn = config, 0

    def pytest_runtestloop(self, session):
        if session.testsfailed or not session.items:
            return None  # pytest says so itself
        items = session.items
        for turn in range(1, self.config.getoption("times") + 1):
            self.turn, self.seconds, start = turn, Counter(), time.monotonic()
            for item, following in pairwise([*items, None]):  # after the last one, all fixtures end
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._tell(f" repetition {turn}: {len(items)} tests, {time.monotonic() - start:.0f} s")
            items = [item for item in items if self.seconds[item.nodeid] <= self.config.getoption("longest")]
        return True

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] += report.duration
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            said = f"{crash.path}:{crash.lineno}: {crash.message}" if crash else report.longreprtext
            with open(self.config.getoption("failures"), "a", encoding="utf-8") as file:
                file.write(json.dumps([report.nodeid, self.turn, f"({report.when}) {said}"]) + "\n")
            self._tell(f" {report.nodeid} failed")

    def _tell(self, line):
        with self.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
