"""The pytest plugin: silent until asked, the marker, the report, xdist, and that no fault of ours fails a test."""

import json
from importlib.metadata import entry_points

import pytest

pytest_plugins = ("pytester",)

KERNELS = """
import numpy as np
from numba import njit, prange

@njit(parallel=True)
def histogram(indices, counts):
    for i in prange(indices.size):
        counts[indices[i]] += 1

@njit(parallel=True, nogil=True)
def scaled(values, out, by=2.0):
    for i in prange(values.size):
        out[i] = by * values[i]

@njit
def refused(x):
    return x.nothing

@njit
def total_of_zeros(n):
    return np.zeros(n).sum()

@njit(cache=True)
def total(values):
    result = 0.0
    for value in values:
        result += value
    return result
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run pytest on its own, with the plugin, whether its entry point is installed or not."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(lens_kernels=KERNELS)
    installed = any(one.name == "numba_lens" for one in entry_points(group="pytest11"))
    plugin = () if installed else ("-p", "numba_course.lens.pytest_plugin")
    return lambda *args: pytester.runpytest_subprocess("-W", "error", *plugin, *args)


def test_it_is_silent_until_it_is_asked(run, pytester):
    pytester.makepyfile(
        """
        import sys

        def test_nothing_is_imported():
            assert not {"numba", "numpy", "llvmlite", "cloudpickle"} & set(sys.modules)
        """
    )
    result = run("--strict-markers", "--no-header")  # which lists the plugins that are installed
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*numba*")


def test_marked_tests_are_held_to_what_the_marker_says_and_the_report_shows_all(run, pytester):
    pytester.makepyfile(
        """
        import lens_kernels as kernels
        import numpy as np
        import pytest

        COUNTED = np.arange(40) % 4

        @pytest.fixture
        def counts():
            return np.zeros(4)

        @pytest.mark.numba(race_free=True, packed=True, allocations=0, specialisations=2, releases_gil=True)
        class TestScaled:
            @pytest.mark.parametrize("n", [9, 20])
            def test_holds(self, n):
                kernels.scaled(np.ones(n), out=np.ones(n))

        @pytest.mark.numba(race_free=True)
        def test_race(counts):
            kernels.histogram(COUNTED, counts)
            assert counts[0] == 10  # what is copied is as it was before the call

        @pytest.mark.numba(race_free=True, allow="counts", cache_fresh=None)
        def test_allowed(counts):
            kernels.histogram(COUNTED, counts)

        @pytest.mark.numba(race_free=True, allow=["counts", "weights"])
        def test_idle_allowance(counts):
            kernels.histogram(COUNTED, counts)

        @pytest.mark.numba(race_free=True)
        def test_nothing_parallel():
            assert kernels.total(np.ones(3)) == 3

        @pytest.mark.numba(allocations=0)
        def test_nothing_called():
            pass

        @pytest.mark.numba(racefree=True)
        def test_no_such_property():
            pass

        class TestBoth:
            pytestmark = pytest.mark.numba(race_free=None, allocations=0)

            @pytest.mark.numba(specialisations=1)
            def test_the_marker_of_the_class_counts_too(self):
                kernels.total_of_zeros(3)

        @pytest.mark.numba(race_free=True)
        def test_that_fails_itself(counts):
            kernels.histogram(COUNTED, counts)
            raise RuntimeError("mine")

        def test_that_calls_what_fails():
            kernels.refused(3)
        """
    )
    files = "--junitxml=junit.xml", "--numba-html=page.html", "--numba-json=report.json"
    result = run("--numba-report", *files)
    result.assert_outcomes(passed=3, failed=8)
    text = result.stdout.str()
    assert "recording" not in text  # which is between a test and what it calls
    for said in (
        "race_free: lens_kernels.histogram has a race",
        "race: iterations 0 and 4 both write counts[0] (line 7: counts[indices[i]] += 1)",
        "race_free needs no allowance: no conflict that was found is one of 'weights'",
        "allocations: lens_kernels.total_of_zeros allocates 1 times a call",
        "race_free was not checked: it concerns none of lens_kernels.total",
        "allocations was not checked: no compiled function was seen to be called from Python",
        "the marker numba knows race_free, packed, allocations, specialisations, releases_gil, cache_fresh and allow",
        "RuntimeError: mine",
    ):
        assert said in text
    rows = {
        one["name"]: one
        for one in json.loads((pytester.path / "report.json").read_text("utf-8"))["functions"]
    }
    shown = {
        name.partition(".")[2]: [seen["short"] for seen in row["seen"].values()] for name, row in rows.items()
    }
    order = list(rows["lens_kernels.total"]["seen"])
    assert order == ["loops", "allocations", "gil", "race", "cache"]
    assert shown == {
        "scaled": ["1 packed", "none", "released", "none", "–"],
        "histogram": ["1 scalar", "none", "held", "RACE", "–"],
        "total": ["1 scalar", "none", "held", "serial", "fresh"],
        "total_of_zeros": ["1 scalar", "1", "held", "serial", "–"],
    }
    assert rows["lens_kernels.scaled"]["calls"] == 2 and "[9]" in rows["lens_kernels.scaled"]["where"]
    page = (pytester.path / "page.html").read_text("utf-8")
    assert "color-scheme: light dark" in page and "<script" not in page and "counts[0]" in page
    assert ':race" value="RACE"' in (pytester.path / "junit.xml").read_text("utf-8")


def test_workers_of_xdist_send_what_they_saw_and_it_fails_only_if_asked(run, pytester):
    pytester.makeini(
        "[pytest]\nnumba_allow =\n    histogram: counts\n    histogram: same value\n    nobody: a\n"
    )
    pytester.makepyfile(
        """
        import lens_kernels as kernels
        import numpy as np
        import pytest

        @pytest.mark.parametrize("n", range(4))
        def test_counts(n):
            kernels.histogram(np.arange(40) % 4, np.zeros(4))
        """
    )
    result = run("-n1", "--numba-fail-on=race")
    result.assert_outcomes(passed=4)
    assert result.ret == 1
    (row,) = [line for line in result.outlines if line.startswith("lens_kernels.histogram(")]
    assert row.split()[2:5] == ["4", "1", "allowed"]
    result.stdout.fnmatch_lines(
        [
            "note: numba_allow names nobody, and no compiled function of that name was seen to be called",
            "FAILED histogram needs no allowance: no conflict that was found is one of 'same value'*",
        ]
    )


def test_without_compilation_it_says_so(run, pytester, monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.numba(race_free=True)
        def test_marked():
            pass
        """
    )
    result = run("--numba-report")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*NUMBA_DISABLE_JIT is set, so nothing is compiled, and there is nothing to look at",
            "*NUMBA_DISABLE_JIT is set, so nothing is compiled: tests marked with numba were not held to anything",
        ]
    )


def test_a_fault_of_ours_fails_no_test(run, pytester):
    pytester.makeconftest(
        """
        from numba_course.lens.recording import held, looking

        def broken(*args):
            raise ZeroDivisionError("planted")

        held.hold = looking.look = broken
        """
    )
    pytester.makepyfile(
        """
        import lens_kernels as kernels
        import numpy as np
        import pytest

        @pytest.mark.numba(race_free=True)
        def test_marked():
            kernels.total(np.ones(3))
        """,
        test_stopped="""
        def test_stopped():
            raise KeyboardInterrupt
        """,
    )
    result = run("--numba-report", "test_a_fault_of_ours_fails_no_test.py")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*::test_marked: our bug: ZeroDivisionError: planted"])
    result.stdout.fnmatch_lines(["there is no report, our bug: ZeroDivisionError: planted"])
    result = run("--numba-report", "test_stopped.py")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["pytest was stopped, and there is no report"])


def test_what_cannot_fail_is_refused(run, pytester):
    result = run("--numba-fail-on=racing")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--numba-fail-on takes race, cache, scalar, gil, unchecked, not racing"])
    pytester.makeini("[pytest]\nnumba_allow = lens_kernels.histogram counts\n")
    result = run("--numba-report")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*numba_allow takes lines such as 'function: array, line or kind', not *"])


RACING = """
    import lens_kernels as kernels
    import numpy as np

    def test_counts():
        kernels.histogram(np.arange(40) % 4, np.zeros(4))
"""


def test_a_race_fails_with_options_of_xdist_but_without_its_workers_and_where_a_file_cannot_be_written(
    run, pytester
):
    pytester.makepyfile(RACING)
    (pytester.path / "file").touch()
    files = "--numba-html=new/folder/page.html", "--numba-json=file/report.json"
    result = run("--dist=loadfile", "--numba-fail-on=race", *files)
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["the page is in new/folder/page.html", "FAILED lens_kernels.histogram*race*"]
    )
    result.stdout.fnmatch_lines(["FAILED *report.json could not be written: *"])
    assert "counts[0]" in (pytester.path / "new/folder/page.html").read_text("utf-8")


def test_a_file_that_cannot_be_written_fails_alone_and_a_broken_report_fails_what_it_was_asked_for(
    run, pytester
):
    (pytester.path / "file").touch()
    pytester.makepyfile("def test_nothing(): pass")
    result = run("--numba-html=file/page.html")
    assert result.ret == 1
    result.stdout.no_fnmatch_line("the page is in*")
    pytester.makeconftest("from numba_course.lens.recording import report\nreport.merged = None")
    assert run("--numba-fail-on=race").ret == 1
    assert run("--numba-report").ret == 0
