"""Cards: code is shown as code, and whatever the session or the terminal is like, showing one raises nothing."""

import io
import re
import sys
from contextlib import contextmanager

import bs4
import pytest

from numba_course import exercises
from numba_course.authoring import build
from numba_course.exercises import card, question, records, waiting
from numba_course.exercises.card import Card, display
from numba_course.exercises.examination.verdict import Finding, Verdict
from numba_course.lens import html
from tests.exercises.toy import exercise
from tests.notebooks.test_accessibility import TEXT, contrast

CODE = 'def f(x):\n    # one < two\n    return "a" + x\n'


def words(shown):
    return bs4.BeautifulSoup(shown, "html.parser").get_text()


# ---- code as code


@pytest.mark.parametrize(
    ("text", "said", "code"),
    [
        ("Fill `out`, then `return out`.", "Fill out, then return out.", ["out", "return out"]),
        ("In code: ``a`b``.", "In code: a`b.", ["a`b"]),
        ("`a``b`", "a``b", ["a``b"]),
        ("One ` alone", "One ` alone", []),
        ("a < b & `c < d`", "a < b & c < d", ["c < d"]),
        ("", "", []),
    ],
)
def test_backticks_enclose_code(text, said, code):
    soup = bs4.BeautifulSoup(html.prose(text), "html.parser")
    assert soup.get_text() == said
    assert [found.get_text() for found in soup.find_all("code")] == code


def test_a_text_of_several_lines_keeps_them():
    shown = html.prose("it is [\n    [`a`],\n]")
    assert "white-space:pre-wrap" in shown and words(shown) == "it is [\n    [a],\n]"


def test_a_solution_is_highlighted_and_says_the_same():
    shown = html.python(CODE)
    assert words(shown) == CODE
    assert re.search(r'<span style="color: #\w{6}">def</span>', shown)
    for style in re.findall('style="([^"]*)"', shown):
        assert all(part.count(":") == 1 for part in style.split(";")), style


def test_without_pygments_code_is_plain(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygments", None)
    assert html.python(CODE) == html.code(CODE + "\n")


def test_highlighted_code_is_legible():
    sources = "\n".join(e.solution_source for found in exercises.by_chapter().values() for e in found)
    marked = bs4.BeautifulSoup(html.python(sources), "html.parser")
    colours = {html.INK} | {
        re.search(r"(?<![-\w])color: (#\w{6})", span["style"])[1]
        for span in marked.find_all("span", style=True)
        if span.get_text().strip() and "color: #" in span["style"]
    }
    assert len(colours) > 4
    assert min(contrast(colour, html.GROUND) for colour in colours) >= TEXT


def test_a_card_has_paragraphs_code_and_a_foot():
    shown = Card("t", "one `x`\n\ntwo\n\n    y = 1", code="z = 2", report="a\n b", note="foot `f()`")
    soup = bs4.BeautifulSoup(shown._repr_html_(), "html.parser")
    assert [pre.get_text() for pre in soup.find_all("pre")] == ["y = 1\n", "z = 2\n", "a\n b\n"]
    assert [found.get_text() for found in soup.find_all("code")] == ["x", "f()"]
    assert repr(shown) == "t\n\none `x`\n\ntwo\n\n    y = 1\n\nz = 2\n\na\n b\n\nfoot `f()`"


@pytest.mark.parametrize("stem", exercises.NAMES)
def test_hints_and_explanations_have_no_backtick_left(stem):
    for found in exercises.of_chapter(stem):
        for text in (*found.hints, found.explanation):
            assert "`" not in words(html.paragraphs(text)), text


# ---- where a card leads on to


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """What the exercises show, in a session without a record."""
    values = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(records, "_session", [])
    monkeypatch.setattr(question, "display", values.append)
    monkeypatch.setattr(waiting, "display", values.append)
    return values


def checked(monkeypatch, asked, status):
    """Check an answer whose verdict is known."""
    findings = () if status in ("correct", "stopped", "not attempted") else (Finding("runs", "it does not"),)
    monkeypatch.setattr(question.examiner, "examine", lambda *args: Verdict(asked.name, status, findings))
    asked.check(len)


def test_a_wrong_answer_gets_the_next_hint_folded_and_a_way_to_the_task(monkeypatch, shown):
    asked = exercises.parallel_max
    for number, hint in enumerate(asked.hints, 1):
        checked(monkeypatch, asked, "wrong")
        folded, task = shown[-1].leads
        assert folded.text == f"Hint {number} of {len(asked.hints)}"
        assert folded.folded.startswith(hint)
        assert "<details" in shown[-1]._repr_html_()
        assert task.target == "07_prange.ipynb#Exercise:-parallel_max"
        asked.hint()
    checked(monkeypatch, asked, "unmet")
    assert (
        shown[-1].leads[0].text == "All hints were shown. There is also `exercises.parallel_max.solution()`."
    )


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("parallel_max", "07_prange.ipynb#Exercise:-parallel_histogram"),
        ("jacobi_step", "08_nogil.ipynb"),
        ("map_over_cluster", ""),
    ],
)
def test_a_right_answer_leads_to_the_next_exercise(monkeypatch, shown, name, target):
    checked(monkeypatch, exercises.get(name), "correct")
    (lead,) = shown[-1].leads
    assert lead.target == target
    assert lead.link or "exercises.progress()" in lead.text


@pytest.mark.parametrize("status", records.NOT_RECORDED)
def test_what_says_nothing_about_the_answer_leads_nowhere(monkeypatch, shown, status):
    checked(monkeypatch, exercises.double, status)
    assert shown[-1].leads == ()


def test_an_exercise_outside_the_course_has_no_task_to_lead_to(monkeypatch, shown):
    checked(monkeypatch, exercise(), "wrong")
    assert [lead.text for lead in shown[-1].leads] == ["Hint 1 of 2"]


@pytest.mark.parametrize("stem", exercises.NAMES)
def test_the_headings_that_cards_lead_to_are_there(stem):
    text = (build.ROOT / "notebooks" / "source" / f"{stem}.md").read_text(encoding="utf-8")
    for name in exercises.NAMES[stem]:
        assert re.search(rf"^#+ Exercise: `{name}`$", text, re.MULTILINE)


def test_a_check_that_is_interrupted_is_stopped(monkeypatch, shown):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(question.examiner, "examine", interrupted)
    exercises.double.check(len)
    assert repr(shown[-1]) == "○ double: stopped"
    assert records.standings(records._session) == {}


# ---- sessions in which little works


@contextmanager
def ascii_terminal(monkeypatch):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", file)
    yield
    file.flush()
    said = file.buffer.getvalue().decode("ascii")
    assert "o triple: not attempted yet" in said and "v triple: correct" in said
    assert "Zo\\xeb ..." in said


@contextmanager
def no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    yield


@contextmanager
def closed_terminal(monkeypatch):
    file = io.StringIO()
    file.close()
    monkeypatch.setattr(sys, "stdout", file)
    yield


@contextmanager
def broken_ipython(monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: 1 / 0)
    yield


@contextmanager
def ipython_that_cannot_show(monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: 1)
    monkeypatch.setattr("IPython.display.display", lambda value: 1 / 0)
    yield


@pytest.mark.parametrize(
    "session",
    [ascii_terminal, no_terminal, closed_terminal, broken_ipython, ipython_that_cannot_show],
    ids=lambda session: session.__name__,
)
def test_showing_a_card_never_raises(monkeypatch, session):
    asked = exercise()
    with session(monkeypatch):
        asked.check(None)
        asked.why()
        display(Verdict("triple", "correct"))
        display(Card("Zoë …", "\ud83d"))


def test_what_ipython_cannot_show_is_printed(monkeypatch, capsys):
    with ipython_that_cannot_show(monkeypatch):
        display(Card("title"))
    assert capsys.readouterr().out == "title\n"


def test_each_sign_of_ours_has_one_in_ascii():
    icons = {icon for icon, _ in html.TONES.values()}
    assert "".join(icons).translate(card.PLAIN).isascii()
