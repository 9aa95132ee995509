"""The timetable: it never contradicts itself, whatever the hours and the chapters, and leaves nothing out."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numba_course.host import WrongUse
from numba_course.launch import cli
from numba_course.teaching import agenda

START = 9 * 60


def course(numbers="00 01 02 03 04 05 06 07 08 09 10 11 12 13", teach=30):
    """Chapters with three exercises each, but for the last, which has none."""
    return [
        agenda.ChapterMinutes(
            number, f"Title {number}", teach, () if number == "13" else (("a", 5), ("b", 10), ("c", 5))
        )
        for number in numbers.split()
    ]


@st.composite
def courses(draw):
    """Chapters of any length, some known to the table and some not, with names that tell them apart."""
    numbers = sorted(draw(st.sets(st.sampled_from([f"{n:02}" for n in range(17)]))))
    return [
        agenda.ChapterMinutes(
            number,
            f"Title {number}",
            draw(st.integers(1, 600)),
            tuple(
                (f"{number}_{n}", m) for n, m in enumerate(draw(st.lists(st.integers(0, 120), max_size=4)))
            ),
        )
        for number in numbers
    ]


def in_class(plan):
    """Names of the exercises of each exercise row, and the minutes of the row."""
    return [
        (row.what.partition(": ")[2].split(", "), row.minutes) for row in plan.rows if row.kind == "exercise"
    ]


@settings(derandomize=True, database=None, deadline=None, max_examples=300)
@given(courses(), st.floats(1e-3, 60), st.integers(0, 24 * 60 - 1))
def test_timetable_never_contradicts_itself(chapters, hours, start):
    plan = agenda.plan(chapters, hours, start)
    days = [list(rows) for _, rows in itertools.groupby(plan.rows, lambda row: row.day)]
    assert [rows[0].day for rows in days] == list(range(1, len(days) + 1))
    lengths = {sum(row.minutes for row in rows) for rows in days}
    assert len(lengths) == 1 and max(lengths) <= agenda.DAY  # all days are alike and wholly told of
    assert sum(row.minutes for row in plan.rows) <= max(1, hours * 60)
    for rows in days:
        assert rows[0].begin == start
        assert all(before.begin + before.minutes == after.begin for before, after in itertools.pairwise(rows))
        assert rows[0].kind != "pause"
        assert all(row.kind in ("teach", "exercise") for row in _after_breaks(rows))
        sittings = (list(g) for pause, g in itertools.groupby(rows, lambda r: r.kind == "pause") if not pause)
        for sitting in sittings:
            work = [row.minutes for row in sitting if row.kind != "spare" and row.minutes]
            assert len(work) <= 1 or sum(work) <= agenda.LONGEST_SITTING

    # every chapter and every exercise is in class, whole and in the course's order, or at home, and not both
    taught = [(row.what, row.minutes) for row in plan.rows if row.kind == "teach"]
    all_of = [(f"{c.number} {c.title}", c.teach) for c in chapters]
    assert taught == [(what, minutes) for what, minutes in all_of if what not in plan.reading]
    assert len(taught) + len(plan.reading) == len(chapters)
    minutes = {name: m for chapter in chapters for name, m in chapter.exercises}
    done = [name for names, _ in in_class(plan) for name in names]
    home = [name for names in plan.home.values() for name in names]
    assert sorted(done + home) == sorted(minutes)
    assert all(total == sum(minutes[name] for name in names) for names, total in in_class(plan))
    assert all(name[:2] not in {what[:2] for what in plan.reading} for name in done)
    said = " ".join(plan.remarks())
    assert all(text in said for text in [*home, *plan.reading])


def _after_breaks(rows):
    """What stands right after each break."""
    return [after for before, after in itertools.pairwise(rows) if before.kind == "pause"]


@pytest.mark.parametrize(
    ("hours", "taught"),
    [
        (1, "00 01"),
        (2, "00 01 07"),
        (4, "00 01 02 04 07 13"),
        (8, "00 01 02 03 04 05 07 08 09"),
        (16, "00 01 02 03 04 05 06 07 08 09 10 11 12 13"),
    ],
)
def test_hours_are_spent_on_the_chapters_that_the_table_wishes_for(hours, taught):
    plan = agenda.plan(agenda.chapters(), hours, START)
    assert [row.what[:2] for row in plan.rows if row.kind == "teach"] == taught.split()
    assert all(names for names, _ in in_class(plan))


def test_every_chapter_that_is_taught_has_an_exercise_before_any_has_a_second():
    for hours, wanted in ((2.5, ["a", "a", "a", "a"]), (3, ["a b", "a b", "a b", "a"])):
        plan = agenda.plan(course("00 01 02 03"), hours, START)
        assert [" ".join(names) for names, _ in in_class(plan)] == wanted


def test_chapter_whose_first_exercise_is_too_long_is_taught_without():
    long = agenda.ChapterMinutes("00", "Long", 50, (("a", 30),))
    plan = agenda.plan([long], 1, START)
    assert [row.kind for row in plan.rows] == ["teach", "spare"] and plan.home == {"00": ("a",)}


def test_a_whole_day_has_lunch_about_noon_and_half_a_day_has_none():
    plan = agenda.plan(course(), 16, START)
    lunches = [row for row in plan.rows if row.what == "Lunch"]
    assert [row.day for row in lunches] == [1, 2]
    assert all(11 * 60 + 30 <= row.begin <= 14 * 60 for row in lunches)
    assert not any(row.what == "Lunch" for row in agenda.plan(course(), 4, START).rows)


def test_minutes_are_told_by_what_they_are_for():
    plan = agenda.plan(course("00 01 02"), 3, START)
    assert next(plan.remarks()) == "Minutes: 90 of teaching, 60 of exercises, 10 of breaks, 20 of questions."
    assert plan.title == "Numba course: 3 h"
    assert agenda.plan(course("00"), 2.51, START).title == "Numba course: 2 h 30 min"


def test_days_that_nothing_is_left_for_are_not_filled():
    for hours in (400, 1e308, float("inf")):
        assert agenda.plan(course("00 01"), hours, START).rows[-1].day == 1


@pytest.mark.parametrize("hours", [0, -2, float("nan")])
def test_hours_that_are_no_number_above_0_are_refused(hours):
    with pytest.raises(WrongUse, match="hours must be a number above 0, not "):
        agenda.plan(course(), hours, START)


def test_minutes_of_the_real_chapters_are_shared_out_wholly():
    for chapter in agenda.chapters():
        assert all(minutes > 0 and minutes % agenda.GRID == 0 for _, minutes in chapter.exercises), chapter


@pytest.mark.parametrize("kind", agenda.FORMATS)
def test_every_format_has_every_row_and_remark(kind):
    chapters = [
        agenda.ChapterMinutes(n, "a < b | c", 250, (("x", 200), ("y", 5))) for n in ("00", "01", "02")
    ]
    plan = agenda.plan(chapters, 16, 13 * 60 + 30)
    shown = agenda.FORMATS[kind](plan)
    assert {"text": "a < b | c", "markdown": r"a < b \| c", "html": "a &lt; b | c"}[kind] in shown
    assert all(row.time in shown for row in plan.rows)
    assert "Day 1" in shown and "Day 2" in shown
    assert "Exercises for home, by chapter: 01: x, y; 02: x, y." in shown
    assert "To read at home: 01 " in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--hours", "-3"], "hours must be a number above 0, not -3"),
        (["--hours", "2", "--start", "9 am"], "--start must be a time such as 13:30, not 9 am"),
        (["--hours", "2", "--start", "24:00"], "not 24:00"),
        (["--hours", "2", "--format", "pdf"], "--format must be one of text, markdown, html, not pdf"),
    ],
)
def test_bad_options_get_a_sentence(options, said, capsys):
    assert cli.run(["agenda", *options]) == 2
    assert said in capsys.readouterr().err


def test_command_writes_a_file_or_to_the_terminal(tmp_path, capsys):
    assert cli.run(["agenda", "--hours", "2.5", "--start", "23:30"]) == 0
    assert "\n00:" in capsys.readouterr().out
    page = tmp_path / "agenda.html"
    assert cli.run(["agenda", "--hours", "2", "--format", "html", "--output", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert cli.run(["agenda", "--hours", "2", "--output", str(tmp_path / "nowhere" / "x")]) == 1
    assert "cannot be written" in capsys.readouterr().err
