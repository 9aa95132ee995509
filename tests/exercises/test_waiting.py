"""What a learner sees while a check works: in one place, which becomes the verdict."""

from types import SimpleNamespace

import IPython
import IPython.display
import pytest

from numba_course.exercises import waiting
from numba_course.exercises.waiting import Waiting


class Shown(list):
    """What a notebook shows: one entry for each place, its last content."""

    def __call__(self, value, display_id=False):
        self.append(value)
        place = len(self) - 1
        return SimpleNamespace(update=lambda value: self.__setitem__(place, value))


@pytest.fixture
def now(monkeypatch):
    """A clock that goes as it is told."""
    clock = SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(waiting, "monotonic", lambda: clock.seconds)
    monkeypatch.delenv(waiting.SWITCH, raising=False)
    return clock


@pytest.fixture
def notebook(monkeypatch):
    """What a notebook shows, where there is one."""
    shown = Shown()
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr(IPython.display, "display", shown)
    return shown


def words(value):
    return value._repr_html_()


def test_a_check_that_is_quick_shows_its_verdict_alone(now, notebook):
    card = Waiting("double")
    now.seconds += 0.3
    card.report("compiling it", 0, 10)
    card.end("verdict")
    assert notebook == ["verdict"]


def test_it_says_what_it_does_then_how_far_it_is_and_becomes_the_verdict(now, notebook):
    card = Waiting("double")
    now.seconds += 0.5
    card.report("compiling it", 0, 10)
    assert "compiling it" in words(notebook[0])
    assert "10" not in words(notebook[0])
    now.seconds += 2
    card.report("calling it", 4, 10)
    assert "calling it, 4 of 10 inputs done" in words(notebook[0])
    card.end("verdict")
    assert notebook == ["verdict"]


def test_it_changes_no_more_often_than_can_be_read(now, notebook):
    card = Waiting("double")
    now.seconds += 1
    card.report("first", 0, 0)
    now.seconds += 0.1
    card.report("second", 0, 0)
    assert "first" in words(notebook[0])


def test_a_long_text_is_cut_and_markup_is_text(now, notebook):
    card = Waiting("double")
    now.seconds += 1
    card.report("<b>" + "x" * 1000, 0, 0)
    assert "<b>" not in words(notebook[0])
    assert "x" * 100 not in words(notebook[0])


def test_it_can_be_turned_off(now, notebook, monkeypatch):
    monkeypatch.setenv(waiting.SWITCH, "0")
    card = Waiting("double")
    now.seconds += 10
    card.report("compiling it", 0, 10)
    assert notebook == []
    card.end("verdict")
    assert notebook == ["verdict"]


def test_a_terminal_prints_the_verdict_alone(now, capsys):
    card = Waiting("double")
    now.seconds += 10
    card.report("compiling it", 0, 10)
    card.end("verdict")
    assert capsys.readouterr().out == "verdict\n"


def test_a_notebook_that_breaks_meanwhile_still_gets_its_verdict(now, notebook, monkeypatch, capsys):
    card = Waiting("double")
    now.seconds += 1
    card.report("compiling it", 0, 10)
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    card._handle = SimpleNamespace(update=None)
    card.end("verdict")
    assert capsys.readouterr().out == "verdict\n"
