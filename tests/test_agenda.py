"""The timetable: everything fits and is accounted for, nothing overlaps, and what does not fit is said."""

import itertools

import pytest

from numba_course.workbook import agenda, cli
from numba_course.workbook.environment import Trouble

START = 9 * 60


def course(numbers="00 01 02 03 04 05 06 07 08 09 10 11 12 13", teach=30, minutes=20):
    """Chapters with three exercises each, but for the last, which has none."""
    shares = (("a", 5), ("b", 10), ("c", minutes - 15))
    return {
        number: agenda.Chapter(number, f"Title {number}", teach, () if number == "13" else shares)
        for number in numbers.split()
    }


def check(plan, hours):
    """What holds for every timetable."""
    for day, rows in itertools.groupby(plan.rows, lambda row: row.day):
        rows = list(rows)
        assert rows[0].begin == START
        assert all(after.begin == before.begin + before.minutes for before, after in itertools.pairwise(rows))
        assert rows[-1].begin + rows[-1].minutes <= START + hours * 60 // plan.days
        sittings = [
            list(r) for pause, r in itertools.groupby(rows, lambda row: row.kind == "pause") if not pause
        ]
        for sitting in sittings:
            assert sum(row.minutes for row in sitting if row.kind != "spare") <= agenda.LONGEST_SITTING
        assert rows[-1].kind != "pause"
        lunches = [row for row in rows if row.minutes == agenda.LUNCH and row.kind == "pause"]
        assert len(lunches) == (hours >= 8)
        assert all(11 * 60 + 30 <= row.begin <= 14 * 60 for row in lunches), day
    assert max(row.day for row in plan.rows) == plan.days


@pytest.mark.parametrize("hours", agenda.CUTS)
def test_timetable_fits_into_its_hours(hours):
    plan = agenda.plan(course(), hours, START)
    check(plan, hours)
    taught = [row.what[:2] for row in plan.rows if row.kind == "teach"]
    assert taught == agenda.CUTS[hours].split()
    assert plan.missing == ()


@pytest.mark.parametrize("hours", agenda.CUTS)
def test_every_exercise_is_done_or_taken_home(hours):
    plan = agenda.plan(course(), hours, START)
    done = sum(row.what.count(",") + 1 for row in plan.rows if row.kind == "exercise")
    home = sum(map(len, plan.home.values()))
    assert done + home == 3 * len([number for number in agenda.CUTS[hours].split() if number != "13"])
    assert all(name in " ".join(plan.remarks()) for names in plan.home.values() for name in names)


def test_exercises_go_home_from_the_last_of_each_chapter_and_teaching_stays_whole():
    plan = agenda.plan(course(teach=20), 2, START)
    assert plan.share == 100
    assert {names[-1] for names in plan.home.values()} == {"c"}
    assert not any("a" in names for names in plan.home.values())


def test_teaching_that_does_not_fit_is_cut_by_what_the_timetable_says():
    plan = agenda.plan(course(), 2, START)
    taught = sum(row.minutes for row in plan.rows if row.kind == "teach")
    assert plan.share == round(100 * taught / 120) < 100
    assert f"there is time for {plan.share} %" in " ".join(plan.remarks())


def test_chapters_that_do_not_exist_are_left_out_and_named():
    plan = agenda.plan(course("00 01 02 03 04 05 06 07"), 8, START)
    assert plan.missing == ("08", "09", "10")
    assert "chapters 08, 09, 10" in " ".join(plan.remarks())


def test_time_that_is_left_is_shown():
    row = agenda.plan(course("00"), 2, START).rows[-1]
    assert (row.kind, row.time) == ("spare", "09:50–11:00")


def test_what_never_fits_is_refused():
    with pytest.raises(Trouble, match="do not fit into 2 hours"):
        agenda.plan(course(teach=90), 2, START)


def test_minutes_of_the_real_chapters_are_shared_out_wholly():
    chapters = agenda.chapters()
    assert "00" in chapters
    for chapter in chapters.values():
        assert all(minutes > 0 and minutes % agenda.GRID == 0 for _, minutes in chapter.exercises), chapter
    for hours in agenda.CUTS:
        agenda.plan(chapters, hours, START)


@pytest.mark.parametrize("kind", agenda.FORMATS)
def test_every_format_has_every_row_and_remark(kind):
    plan = agenda.plan({"00": agenda.Chapter("00", "a < b | c", 30, ())}, 16, 13 * 60 + 30)
    shown = agenda.FORMATS[kind](plan)
    assert {"text": "a < b | c", "markdown": r"a < b \| c", "html": "a &lt; b | c"}[kind] in shown
    assert all(row.time in shown for row in plan.rows)
    assert "Day 1" in shown and "16 hours on 2 days" in shown
    assert "01, 02, 03" in shown


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--hours", "3"], "--hours must be one of 2, 4, 8, 16, not 3"),
        (["--hours", "2", "--start", "9 am"], "--start must be a time such as 13:30, not 9 am"),
        (["--hours", "2", "--start", "24:00"], "not 24:00"),
        (["--hours", "2", "--format", "pdf"], "--format must be one of text, markdown, html, not pdf"),
    ],
)
def test_bad_options_get_a_sentence(options, said, capsys):
    assert cli.run(["agenda", *options]) == 2
    assert said in capsys.readouterr().err


def test_command_writes_a_file_or_to_the_terminal(tmp_path, capsys):
    assert cli.run(["agenda", "--hours", "2", "--start", "23:30"]) == 0
    assert "\n00:" in capsys.readouterr().out
    page = tmp_path / "agenda.html"
    assert cli.run(["agenda", "--hours", "2", "--format", "html", "--output", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    with pytest.raises(Trouble, match=r"nowhere.*cannot be written"):
        cli.run(["agenda", "--hours", "2", "--output", str(tmp_path / "nowhere" / "x")])
