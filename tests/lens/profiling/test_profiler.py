"""profile: of programs whose slow line is known, that line is named; nothing is left behind; no guess is passed off."""

import inspect
import re
import signal

import numpy as np
import pytest

from numba_course import lens
from numba_course.lens.profiling import _sampling, profiler
from numba_course.lens.profiling.profiler import Line, Profile, _in_vain, profile, profile_of
from tests.lens.profiling import callee, programs

pytestmark = [
    pytest.mark.load,
    pytest.mark.skipif(bool(_sampling.refusal()), reason="samples are taken on x86-64 Linux only"),
]
ROUNDS = 3  # measurements before a relation of counts is denied


def slow_lines(module):
    """Lines that are marked in a module."""
    return {n for n, text in enumerate(inspect.getsource(module).splitlines(), 1) if "# slow" in text}


def slow_line(function):
    """The marked line of a function."""
    lines, first = inspect.getsourcelines(getattr(function, "py_func", function))
    return next(first + n for n, text in enumerate(lines) if "# slow" in text)


def until(relation, *call, seconds=0.3):
    """A profile for which the relation holds, if one of a few does."""
    for effort in range(1, ROUNDS + 1):
        seen = profile(*call, seconds=effort * seconds)
        if relation(seen):
            break
    return seen


def test_a_loop_that_does_ten_times_the_work_of_another_and_a_session_that_stays_as_it_was():
    handler, timer = signal.getsignal(signal.SIGPROF), signal.getitimer(signal.ITIMER_PROF)
    overloads = dict(programs.two_loops.overloads)
    slow = slow_line(programs.two_loops)
    seen = until(lambda p: 0.8 < p.share(slow) < 0.97, programs.two_loops, 30_000)
    assert 0.8 < seen.share(slow) < 0.97  # ten elevenths
    assert seen.lines[0].line == slow and "# slow" in seen.lines[0].source
    assert seen.samples > 30 and seen.threads == 1 and not seen.ended
    assert signal.getsignal(signal.SIGPROF) == handler and signal.getitimer(signal.ITIMER_PROF) == timer
    assert programs.two_loops.overloads == overloads


def test_samples_in_a_library_belong_to_the_line_that_called_it():
    libraries = {"sines": "libm.so", "allocates": "libc.so", "multiplies": "lib"}
    lines = {slow_line(getattr(programs, name)): begin for name, begin in libraries.items()}

    def found(seen):
        """Which library was at work most often in each line."""
        inside = {
            one.line: one.inside[0][0] for one in seen.lines if one.inside and one.own > 0.02 * seen.samples
        }
        return {line: inside.get(line, "").startswith(begin) for line, begin in lines.items()}

    seen = until(lambda seen: all(found(seen).values()), programs.in_libraries, np.ones((300, 300)))
    assert all(found(seen).values()), seen
    assert "libm.so.6" in repr(seen)


def test_all_kinds_of_functions():
    expected = slow_lines(programs) - {
        slow_line(fn)
        for fn in (
            *(programs.two_loops, programs.sines, programs.uneven, programs.allocates),
            *(programs.sorts, programs.never_ends, programs.multiplies),
        )
    }
    called = {slow_line(programs.calls_another_file), slow_line(programs.calls_what_is_not_inlined)}

    def complete(seen):
        named = {
            one.line
            for one in seen.lines
            if one.file == programs.__file__ and one.total > 0.02 * seen.samples
        }
        return expected <= named

    seen = until(complete, programs.many, np.ones((100, 400)), seconds=0.8)
    assert complete(seen), seen
    assert seen.share(slow_line(callee.slow), "callee.py") > 0.03
    text = next(n for n, line in enumerate(programs.GENERATED.splitlines(), 1) if "slow" in line)
    assert seen.share(text, "<string>") > 0.02
    places = {(one.file, one.line): one for one in seen.tree if one.depth == 0}
    for line in called:  # it is the callee that computes, and it is shown below its caller
        top = places[programs.__file__, line]
        assert top.total > 4 * top.own, seen
        below = seen.tree[seen.tree.index(top) + 1]
        assert below.depth == 1 and below.function in ("slow", "recursive")


def test_parallel_loops_and_those_that_wait():
    slow = slow_line(programs.uneven)
    seen = until(lambda p: p.share(slow) > 0.8, programs.uneven, np.ones(300))
    assert seen.share(slow) > 0.8 and seen.lines[0].function == "uneven"
    assert "in pools of threads" in repr(seen)


def test_each_call_has_arguments_of_its_own_if_it_changes_them_and_may_raise():
    a = np.linspace(1, 0, 100_000)
    before = a.copy()
    seen = until(lambda p: p.share(slow_line(programs.sorts)) > 0.5, programs.sorts, a)
    assert (a == before).all()
    assert seen.share(slow_line(programs.sorts)) > 0.5  # of sorted numbers little is left to do
    assert any("sort" in what for what, _ in seen.lines[0].inside)
    assert seen.ended == "raised ValueError: they are sorted" and "! sorts raised ValueError" in repr(seen)


def test_a_call_that_takes_the_signal_for_itself_is_told():
    assert "set a handler of SIGPROF" in repr(profile(programs.takes_the_signal, 1000, seconds=0.05))
    assert "or its timer, itself" in repr(profile(programs.stops_the_timer, 1000, seconds=0.05))


def test_that_copying_took_the_time_is_told():
    seen = profile(programs.counts_in, np.zeros(1 << 21), seconds=0.3)
    assert "copying them for each call took most of the time" in repr(seen)


def test_a_call_that_does_not_end_is_stopped_and_shown(monkeypatch):
    monkeypatch.setattr(profiler, "LIMIT", 0.5)
    seen = profile(programs.never_ends, 1.0, seconds=0.2)
    assert seen.lines[0].line == slow_line(programs.never_ends)
    assert re.fullmatch(r"did not end within \d+ s and was stopped", seen.ended)


@pytest.mark.parametrize(
    ("used", "waited", "is_in_vain"),
    [(0.0, 3.9, False), (0.0, 4.1, True), (0.5, 4.1, False), (0.9, 11.9, False), (0.9, 12.1, True)],
)
def test_sleep_is_not_waited_for_and_a_busy_machine_is(used, waited, is_in_vain):
    assert _in_vain(used, waited, 1.0) == is_in_vain


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ((3,), TypeError, "must be a function, not int"),
        ((programs.sorts,), TypeError, "the arguments do not fit sorts: missing a required argument"),
        ((programs.sorts, "text"), TypeError, "sorts does not compile: .*sort"),
        ((programs.sorts, (x for x in ())), TypeError, "cannot be sent"),
        ((programs.Walker().walk, 3), TypeError, "jitclass 'Walker' stays in the process that made it"),
    ],
)
def test_refusals(call, error, words):
    with pytest.raises(error, match=f"lens.profile: .*{words}"):
        lens.profile(*call)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), "1", None])
def test_seconds_must_be_a_number_above_0(seconds):
    with pytest.raises(ValueError, match="seconds must be a number above 0"):
        profile(programs.tiny, 1, seconds=seconds)


def test_elsewhere_it_is_refused(monkeypatch):
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(RuntimeError, match="Linux with an x86-64 processor only, and this is darwin"):
        profile(programs.tiny, 1)


FOUND = {
    "tree": (
        (0, __file__, 1, "f", 10, 90, (("", 4), ("libm.so.6", 6))),
        (1, __file__, 3, "<lambda>", 80, 80, (("", 80),)),
        (0, __file__, 5, "f", 10, 10, (("", 10),)),
    ),
    "lines": (
        (__file__, 3, "<lambda>", 80, 80, (("", 80),)),
        (__file__, 1, "f", 10, 90, (("", 4), ("libm.so.6", 6))),
        (__file__, 5, "f", 10, 10, (("", 10),)),
    ),
    **{"computing": 100, "waiting": 7, "elsewhere": 8, "unplaced": 30, "broken": 0, "lost": 2, "threads": 3},
    "outside": (("libopenblas.so", 5),),
}


def test_the_card():
    seen = profile_of("f", FOUND, 12)
    text = repr(seen)
    rows = text.splitlines()
    assert rows[1].startswith("⟨ 90 %⟩  ⟨ 10 %⟩  1") and rows[1].endswith("⟨60 %⟩ libm.so.6")
    assert "\u00a0\u00a0" in rows[2] and rows[3].startswith("⟨ 10 %⟩")
    for words in ("⟨100⟩ samples", "⟨12⟩ calls", "⟨10⟩ percent points", "⟨7⟩ in pools", "⟨8⟩ outside"):
        assert words in text
    for words in (
        "⟨30 %⟩ of the samples lay at instructions that LLVM gives no line",
        "⟨2⟩ samples found no room",
    ):
        assert words in text
    assert "⟨5⟩ samples lay in libopenblas.so" in text
    page = seen._repr_html_()
    assert "<script" not in page and "id=" not in page and "&lt;lambda&gt;" in page
    assert (
        seen.share(3) == 0.8 and seen.share(3, "test_profiler.py") == 0.8 and seen.share(3, "other.py") == 0
    )


def test_the_figure():
    drawn = profile_of("f", FOUND, 12).figure()
    assert drawn.alt == (
        "Share of the time of the lines of f, the largest first. First: ⟨line 3, 80 %⟩."
    ) and drawn.png.startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="nothing to draw"):
        Profile("f", (), (), 0, 0, 0, 0, 1).figure()


def test_a_line_without_source():
    assert Line("<string>", 3, "f", 1, 1).source == ""
