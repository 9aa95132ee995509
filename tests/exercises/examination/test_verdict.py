"""What a verdict says, in one line, as text, as a card and in full: no contradiction, no flood, a way on."""

import re

import pytest

from numba_course import __version__
from numba_course.exercises.examination import verdict as module
from numba_course.exercises.examination.statuses import STATUSES
from numba_course.exercises.examination.verdict import Finding, Lead, Verdict, numba_warnings

CHANGED = Finding("leaves its inputs alone", "it changed its argument `values`", "values=np.array([1.0])")
MATRIX = "np.array([\n    [1.0, 2.0],\n    [3.0, 4.0],\n])"
LONG = "x" * 20_000_000
FLOOD = "line\n" * 178


def card(verdict):
    return verdict._repr_html_()


def seen_in(shown):
    """The text that a card shows, without its tags."""
    return re.sub(r"<[^>]+>", " ", shown)


def test_what_was_asked_and_what_was_seen_are_told_apart():
    verdict = Verdict("double", "wrong", (CHANGED,))
    assert repr(verdict) == (
        "✗ double: wrong. Asked: leaves its inputs alone. Seen: it changed its argument `values`. "
        "Input: values=np.array([1.0])"
    )
    assert verdict.text().splitlines() == [
        "✗ double: wrong",
        "  Asked: leaves its inputs alone",
        "  Seen:  it changed its argument `values`",
        "  Input: values=np.array([1.0])",
    ]
    shown = card(verdict)
    assert re.search(r"<th [^>]+>Asked</th><td [^>]+>leaves its inputs alone</td>", shown)
    assert re.search(r"it changed its argument <code [^>]+>values</code>", shown)
    assert "`" not in shown


def test_line_and_source_are_told():
    verdict = Verdict(
        "double", "raised", (Finding("runs", "ValueError: no", "", 12, "  raise ValueError\n"),)
    )
    assert repr(verdict).endswith("Seen: ValueError: no. Line 12: raise ValueError")
    assert "  Line 12: raise ValueError" in verdict.text()


def test_a_matrix_stands_in_one_line_or_in_rows():
    verdict = Verdict("double", "wrong", (Finding("right result", f"it is {MATRIX}", f"x={MATRIX}"),))
    assert "\n" not in repr(verdict)
    assert "it is np.array([[1.0, 2.0], [3.0, 4.0]])" in repr(verdict)
    assert "\n         " + "    [3.0, 4.0],\n" in verdict.text()
    assert "\n    [3.0, 4.0],\n" in card(verdict)


# ---- cuts


FLOODS = {
    "seen": Verdict("double", "raised", (Finding("runs", LONG),)),
    "lines": Verdict("double", "raised", (Finding("runs", FLOOD, FLOOD),)),
    "wide": Verdict("double", "raised", (Finding("runs", "x y " * 9_000, "x=1, " * 9_000, 3, LONG),)),
    "many": Verdict("double", "unmet", tuple(Finding(f"asked {n}", "no\n" * 5) for n in range(50))),
    "all": Verdict("double", "raised", (Finding(LONG, FLOOD, FLOOD, 3, LONG, LONG), CHANGED), output=FLOOD),
    "printed": Verdict("double", "correct", (), ("compiled",), ("speed",), output=LONG),
    "our bug": Verdict("double", "our bug", (Finding("our bug", LONG, full=LONG),)),
    "warned": Verdict(
        "double", "correct", output="".join(f"a.py:{n}: NumbaWarning: {'w' * 999}\n" for n in range(1, 99))
    ),
}


@pytest.mark.parametrize("name", FLOODS)
def test_a_card_is_about_a_screen_and_why_has_an_end(name):
    verdict = FLOODS[name]
    lines = verdict.text().splitlines()
    assert sum(1 + len(line) // 100 for line in lines) <= 40
    assert len(verdict.text()) <= 4_000
    assert len(seen_in(card(verdict))) <= 5_000
    assert len(repr(verdict)) <= 2_300
    assert len(verdict.left_out()) <= 20_100
    assert re.search(r"… [\d,]+ more|[Aa]nd \d+ more|of \d+ more", verdict.text())


def test_a_finding_has_at_most_two_thousand_characters():
    everything = Finding(LONG, LONG, LONG, 3, LONG)
    assert sum(len(text) for _, text, _ in module._parts(everything)) < 2_200  # with what is said of each cut


def test_output_is_cut_to_eight_lines():
    shown = Verdict("double", "correct", output=FLOOD).text()
    assert shown.count("    line") == 8
    assert shown.endswith("… 170 more lines")


def test_what_no_screen_shows_reaches_none():
    nasty = "\x1b[2J \ud83d \x00 \u202e"
    verdict = Verdict("double", "raised", (Finding(nasty, nasty, nasty, 1, nasty, nasty),), output=nasty)
    for text in (repr(verdict), verdict.text(), card(verdict), verdict.full()):
        text.encode()
        assert "\x1b" not in text and "\\x1b[2J \\ud83d \\x00 \\u202e" in text


# ---- why


def test_why_has_what_the_card_left_out_and_no_more():
    short = Verdict("double", "wrong", (CHANGED,))
    assert short.left_out() == ""
    asked = Verdict("double", "wrong", (CHANGED,), ("compiled",), ("speed",))
    assert asked.left_out() == "All that is asked: compiled. Not looked at: speed."
    traced = Verdict(
        "double", "raised", (Finding("runs", "ValueError: no", full="Traceback …\nValueError: no"),)
    )
    assert traced.left_out() == "runs, the whole story:\nTraceback …\nValueError: no"
    printed = Verdict("double", "correct", output=FLOOD)
    assert printed.left_out().count("line\n") == 177
    wide = Verdict("double", "wrong", (Finding("right result", "seen " * 1_000),))
    assert wide.left_out().count("seen ") >= 999
    many = FLOODS["many"]
    first = re.search(r"And (\d+) more", many.text())
    assert many.left_out().count("Asked:") == int(first[1]) > 30
    assert "asked 0\n" not in many.left_out()


# ---- by status


def test_a_stopped_check_says_that_nothing_is_left():
    verdict = Verdict("double", "stopped")
    assert "You stopped the check; nothing of it is left running." in verdict.text()
    assert "nothing of it is left running" in card(verdict)
    assert STATUSES["stopped"] == ("○", "stopped", "info")


def test_what_was_looked_at_is_folded_on_the_card_of_a_right_answer_alone():
    right = Verdict("double", "correct", (), ("compiled", "in bounds"), ("speed",))
    folded = card(right).partition("<details")[2]
    assert "Looked at: compiled; in bounds. Not looked at: speed." in folded
    assert "ooked at" not in card(right).partition("<details")[0]
    assert repr(right) == "✓ double: correct"
    assert "ooked at" not in card(Verdict("double", "wrong", (CHANGED,), ("compiled",), ("speed",)))


TRACEBACK = """Traceback (most recent call last):
  File "/opt/venv/lib/python3.12/site-packages/numba_course/lens/compiled/_native.py", line 223, in sizes
    return known[name]
  File "/tmp/ipykernel_1/22.py", line 3, in secret
    the_answer_of_the_learner()
KeyError: 4
"""


def test_a_fault_of_ours_comes_with_a_text_to_send(monkeypatch):
    found = Finding("our bug", "the checker failed, not your answer: KeyError: 4", full=TRACEBACK)
    verdict = Verdict("double", "our bug", (found,))
    report = verdict.report()
    for said in (f"numba_course {__version__}, numba 0.", ", numpy 2.", ", Python 3.", "exercise double"):
        assert said in report
    assert report.endswith("KeyError: 4\nat lens/compiled/_native.py:223")
    assert "ada" not in report and "learner" not in report
    assert report in card(verdict)
    assert "Please send this text to your instructor, or to whoever gave you the course:" in verdict.text()
    assert "Asked" not in verdict.text()


@pytest.mark.parametrize(
    "entries", [["Issues, https://x.org/issues"], ["Home, h", "Bug Tracker, https://x.org/issues"]]
)
def test_faults_are_reported_where_the_package_says(monkeypatch, entries):
    class Metadata:
        def get_all(self, name):
            return entries if name == "Project-URL" else None

    monkeypatch.setattr(module.metadata, "metadata", lambda name: Metadata())
    assert module.tracker() == "https://x.org/issues"


# ---- leads


def test_leads_are_links_and_folded_texts():
    leads = (Lead("Hint 1 of 2", folded="Use `np`.\n\n    x = 1\n"), Lead("Next:", "a < b", "b.ipynb#A"))
    shown = card(Verdict("double", "wrong", (CHANGED,), leads=leads))
    assert re.search(r"<details [^>]+><summary>Hint 1 of 2</summary><div [^>]+>Use <code", shown)
    assert '<a href="b.ipynb#A">a &lt; b</a>' in shown
    assert shown.index("<pre") < shown.index("</details>")


# ---- Numba's warnings

PERFORMANCE = """before
/tmp/ipykernel_1/22.py:9: NumbaPerformanceWarning: np.dot() is faster on contiguous arrays, called on (A, B)
  np.dot(a, b)
between
/tmp/ipykernel_1/22.py:9: NumbaPerformanceWarning: \n\
The keyword argument 'parallel=True' was specified but no transformation for parallel execution was possible.

To find out why, try turning on parallel diagnostics, see https://numba.readthedocs.io/en/stable/ for help.

File "../../tmp/ipykernel_1/22.py", line 12:
@njit(parallel=True)
def _h(values):
^

  return _h(values)
/tmp/ipykernel_1/22.py:9: NumbaPerformanceWarning: np.dot() is faster on contiguous arrays, called on (A, B)
  np.dot(a, b)
/tmp/ipykernel_1/22.py:20: UserWarning: mine
  warn("mine")
/venv/site-packages/numba/core/x.py:5: NumbaDeprecationWarning: old
after
"""


def test_warnings_of_numba_are_said_once_and_taken_out():
    said, rest = numba_warnings(PERFORMANCE)
    assert said == [
        "np.dot() is faster on contiguous arrays, called on (A, B) (line 9).",
        "The keyword argument 'parallel=True' was specified but no transformation for parallel execution was "
        "possible (line 12).",
        "old.",
    ]
    assert rest == 'before\nbetween\n/tmp/ipykernel_1/22.py:20: UserWarning: mine\n  warn("mine")\nafter\n'
    verdict = Verdict("double", "correct", output=PERFORMANCE)
    assert "Numba warned: np.dot() is faster" in verdict.text()
    assert "NumbaPerformanceWarning" not in card(verdict)
    assert "NumbaPerformanceWarning" in verdict.left_out()


@pytest.mark.parametrize("end", range(40, len(PERFORMANCE), 37))
def test_output_that_breaks_off_in_a_warning_is_read_as_far_as_it_goes(end):
    said, rest = numba_warnings(PERFORMANCE[:end])
    assert rest.startswith("before\n")
    assert len(said) <= 3


@pytest.mark.parametrize(
    "text", ["", "NumbaWarning: no\n", "a:b: NumbaWarning: c\n", "x:3: UserWarning: NumbaWarning\n"]
)
def test_other_output_stays_as_it_is(text):
    assert numba_warnings(text) == ([], text)


def test_a_real_warning_of_numba_is_recognised():
    import io
    import warnings

    from numba import njit

    def alone(x):
        return x + 1

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        njit(parallel=True)(alone)(1)
    file = io.StringIO()
    for each in caught:
        file.write(warnings.formatwarning(each.message, each.category, "/tmp/a.py", 7))
    said, rest = numba_warnings(file.getvalue())
    assert [text.partition(" (line")[0] for text in said] == [
        "The keyword argument 'parallel=True' was specified but no transformation for parallel execution was possible"
    ]
    assert rest.strip() == ""
