"""For pytest: a marker that holds what a test calls to properties, and a report on all that the tests call.

Silent until it is asked: without the marker and the options nothing is imported, patched or printed. What fails in
here is told as such, and fails no test.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from numba_course.lens.recording.calls import ALIKE, DISABLED, SECONDS, Recorder, is_jit_disabled, seconds_of

MARKER = (
    "numba(race_free=True, packed=True, allocations=0, specialisations=1, releases_gil=True, cache_fresh=True, "
    "allow=[...]): hold every compiled function that the test calls to these properties, see numba_course.lens"
)
ENDED = pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED
SENT = "numba_lens"  # the name under which a worker of xdist sends what it found
NOTES: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; they are off."""
    group = parser.getgroup(
        "numba", "what the compiler made of the functions that the tests call (numba_course)"
    )
    group.addoption(
        "--numba-report",
        action="store_true",
        help="look at each compiled function that the tests call, and end with a table",
    )
    group.addoption("--numba-html", metavar="FILE", help="write the report as a page, too")
    group.addoption("--numba-json", metavar="FILE", help="write the report as JSON, too")
    group.addoption(
        "--numba-fail-on",
        metavar="WHAT",
        default="",
        help="fail if the report has one of these, such as race,cache; of race, cache, scalar, gil, unchecked",
    )
    group.addoption(
        "--numba-seconds",
        type=seconds_of,
        metavar="N",
        default=SECONDS,
        help=f"look at no further function after so many seconds ({SECONDS:.0f})",
    )
    parser.addini(
        "numba_allow",
        type="linelist",
        help="races that are meant, for the report: on each line 'function: array, line or kind, …'",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and begin to record if a report is asked for."""
    config.addinivalue_line("markers", MARKER)
    config.stash[NOTES] = []
    option = config.option
    if option.numba_report or option.numba_html or option.numba_json or option.numba_fail_on:
        config.pluginmanager.register(Reporting(config), "numba_lens_report")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Record what a marked test calls, and hold it to what the marker says, if the test itself passes."""
    markers = [(marker.args, marker.kwargs) for marker in item.iter_markers("numba")]
    if not markers:
        return (yield)
    if is_jit_disabled():
        _note(item.config, f"{DISABLED}: tests marked with numba were not held to anything")
        return (yield)
    with Recorder(ALIKE).recording() as recorder:
        result = yield
    if broken := _broken(item, markers, recorder):
        pytest.fail("\n\n".join(broken), pytrace=False)
    return result


def _broken(item, markers, recorder):
    """What the markers ask for and is not so."""
    try:
        from numba_course.lens.recording.held import hold, wanted_by

        try:
            wanted, allowed = wanted_by(markers)
        except ValueError as error:
            return [str(error)]
        broken, trouble = hold(recorder.called, wanted, allowed)
    except Exception as error:
        broken, trouble = [], [f"our bug: {type(error).__name__}: {error}"]
    for text in (*trouble, *recorder.notes):
        _note(item.config, f"{item.nodeid}: {text}")
    return broken


def _note(config, text):
    """Have something told at the end, once."""
    if text not in config.stash[NOTES]:
        config.stash[NOTES].append(text)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist sends its notes to whoever started it."""
    output, notes = getattr(session.config, "workeroutput", None), session.config.stash[NOTES]
    if output is not None and notes:
        output[f"{SENT}_notes"] = notes


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """Take the notes of a worker."""
    for text in getattr(node, "workeroutput", {}).get(f"{SENT}_notes", ()):
        _note(node.config, text)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell what there is to tell about marked tests; mostly nothing."""
    if config.stash[NOTES]:
        terminalreporter.section("numba")
        for text in config.stash[NOTES]:
            terminalreporter.write_line(text)


class Reporting:
    """Records what the tests call, looks at it at the end, and tells it.

    With xdist each worker looks at what its tests called, and sends plain data to the process that tells it.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config, self.recorder = config, Recorder()
        self.is_worker = hasattr(config, "workerinput")
        self.has_workers = False
        self.received: list[dict[str, Any]] = []
        self.report: Any = None
        self.failures: list[str] = []
        self.missing: list[str] = []  # what should have been looked at, and was not
        self.unwritten: dict[str, str] = {}
        self._refuse_unknown()
        self.allowed = _allowances(config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Begin to record, unless workers of xdist run the tests: only it knows that, whatever the options say."""
        self.has_workers = self.config.pluginmanager.has_plugin("dsession")
        if not self.has_workers:
            self.recorder.start()

    def _words(self):
        return [word.strip() for word in self.config.option.numba_fail_on.split(",") if word.strip()]

    def _refuse_unknown(self):
        known = ("race", "cache", "scalar", "gil", "unchecked")
        if unknown := [word for word in self._words() if word not in known]:
            raise pytest.UsageError(f"--numba-fail-on takes {', '.join(known)}, not {', '.join(unknown)}")

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Note which test calls what follows."""
        self.recorder.where = nodeid

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: Any) -> None:
        """Take what a worker found."""
        found = getattr(node, "workeroutput", {}).get(SENT)
        self.received.append(found or {"looked": [], "notes": []})
        if found is None:
            self.missing.append("a worker ended without a word on what it saw")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look at what was called; a worker sends it, the others tell it. Who stopped pytest does not wait for that."""
        self.recorder.stop()
        if session.exitstatus not in ENDED:
            _note(self.config, "pytest was stopped, and there is no report")
            return
        from numba_course.lens.program import in_folder

        try:
            with in_folder(self.config.invocation_params.dir):  # a test may have gone into another
                self._finish(session)
        except Exception as error:
            _note(self.config, f"there is no report, our bug: {type(error).__name__}: {error}")
            if self._words():
                _fail(session)

    def _finish(self, session):
        if self.is_worker:
            self.config.workeroutput[SENT] = self._looked_at()
            return
        from numba_course.lens.recording.looking import from_data
        from numba_course.lens.recording.report import Report, merged, with_allowances

        parts = self.received if self.has_workers else [self._looked_at()]
        found = merged([Report(tuple(map(from_data, p["looked"])), tuple(p["notes"])) for p in parts])
        self.report = with_allowances(found, self.allowed)
        self.failures = [*self.report.failures(self._words()), *(self.missing if self._words() else ())]
        self.unwritten = self._write()
        if self.failures or self.unwritten:
            _fail(session)

    def _looked_at(self):
        """What was called and what was found out about it, as plain data."""
        notes = self.recorder.notes
        if is_jit_disabled():
            return {"looked": [], "notes": [*notes, f"{DISABLED}, and there is nothing to look at"]}
        if not self.recorder.called:
            return {"looked": [], "notes": notes}
        from numba_course.lens.recording.looking import look

        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter and not self.is_worker:
            reporter.write_line("")
            reporter.write_line(f"numba: looking at {len(self.recorder.called)} compiled functions ...")
        found = look(self.recorder.called, self.config.option.numba_seconds, self.allowed)
        return {"looked": [one.as_data() for one in found], "notes": notes}

    def _write(self):
        """Write the files that were asked for, and the properties for JUnit's XML; a sentence for what could not be."""
        from numba_course.lens.recording.report import unwritten

        option, folder = self.config.option, self.config.invocation_params.dir
        texts = {}
        if option.numba_html:
            texts[option.numba_html] = self.report.page(f"Compiled functions of {self.config.rootpath.name}")
        if option.numba_json:
            texts[option.numba_json] = self.report.as_json() + "\n"
        junit = next(
            (p for p in self.config.pluginmanager.get_plugins() if hasattr(p, "add_global_property")), None
        )
        if junit:
            for name, value in self.report.properties():
                junit.add_global_property(name, value)
        return {name: why for name, text in texts.items() if (why := unwritten(folder / name, text))}

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table, and what fails."""
        if self.report is None:
            return
        terminalreporter.section("numba report")
        for line in self.report.lines():
            terminalreporter.write_line(line)
        page = self.config.option.numba_html
        if page and page not in self.unwritten:
            terminalreporter.write_line(f"the page is in {page}")
        for text in self.missing if not self._words() else ():
            terminalreporter.write_line(f"note: {text}")
        for text in [*self.failures, *self.unwritten.values()]:
            terminalreporter.write_line(f"FAILED {text}", red=True)


def _fail(session):
    """Have pytest end as if a test had failed, if it would end well."""
    if session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _allowances(config):
    """From each function that the configuration names to the races of it that are meant."""
    found = {}
    for line in config.getini("numba_allow"):
        name, _, races = line.partition(":")
        entries = [entry.strip() for entry in races.split(",") if entry.strip()]
        if not name.strip() or not entries:
            raise pytest.UsageError(
                f"numba_allow takes lines such as 'function: array, line or kind', not {line!r}"
            )
        meant = found.setdefault(name.strip(), [])
        meant += [int(entry) if entry.isdigit() else entry for entry in entries]
    return found
