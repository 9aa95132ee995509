"""The record of progress: what a line says, what it amounts to, and that no cut, no second writer costs a line."""

import errno
import json
import multiprocessing
import os
import re
from contextlib import contextmanager

import pytest

from numba_course import exercises
from numba_course.exercises import predictions, records
from numba_course.exercises.examination.verdict import Finding, Verdict
from numba_course.exercises.records import Belief, Event, Standing

WRONG = Verdict(
    "double", "wrong", (Finding("result", "gave [2.0], expected [3.0]"), Finding("in bounds", "it is not"))
)
RIGHT = Verdict("double", "correct")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A learner's folder with an empty record, which is also the current one; a session that remembers nothing."""
    folder = tmp_path / "Zoë Ōta"
    folder.mkdir()
    (folder / records.FILE).touch()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(records, "_session", [])
    return folder


def lines(folder):
    return [json.loads(line) for line in (folder / records.FILE).read_text(encoding="utf-8").splitlines()]


# Lines


def test_check_hint_and_name_are_lines_as_described(folder):
    records.record(WRONG)
    records.record(RIGHT)
    records.record_hint("double", 1)
    records.record_learner("Zoë Ōta")
    records.record_prediction("speedup", "20")
    records.record_outcome("speedup", "1000", "1,246")
    found = lines(folder)
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", line.pop("time")) for line in found)
    assert found == [
        {"exercise": "double", "status": "wrong", "finding": "result", "seen": "gave [2.0], expected [3.0]"},
        {"exercise": "double", "status": "correct", "finding": "", "seen": ""},
        {"exercise": "double", "hint": 1},
        {"learner": "Zoë Ōta"},
        {"prediction": "speedup", "said": "20"},
        {"prediction": "speedup", "came": "1000", "seen": "1,246"},
    ]
    assert [key for line in found for key in line if f'"{key}":' not in records.__doc__] == []


def test_long_finding_is_cut():
    records.record(Verdict("double", "raised", (Finding("runs", "x" * 5000),)))
    assert len(records.read()[0].seen) == records.LONGEST


@pytest.mark.parametrize("status", records.NOT_RECORDED)
def test_what_says_nothing_about_the_learner_is_not_recorded(folder, status):
    records.record(Verdict("double", status))
    assert lines(folder) == []


def test_check_and_hint_of_an_exercise_are_recorded():
    exercises.double.check(len)
    exercises.double.hint()
    exercises.double.hint()
    assert [(event.status, event.hint) for event in records.read()] == [("not compiled", 0), ("", 1), ("", 2)]


def test_without_a_record_progress_lasts_as_long_as_the_session(folder):
    (folder / records.FILE).unlink()
    records.record(RIGHT)
    records.record_hint("triple", 2)
    assert list(folder.iterdir()) == []
    assert records.summary({"00": ["double", "other"]}).done == 1
    assert records.hints("triple") == 2


def test_record_that_cannot_be_written_is_no_error(folder):
    (folder / records.FILE).unlink()
    (folder / records.FILE).mkdir()
    (folder / records.OLD_FILE).write_text("{}", encoding="utf-8")
    records.record(RIGHT)
    assert records.summary({"00": ["double"]}).done == 1


def test_half_a_character_is_written_out(folder):
    records.record(Verdict("double", "raised", (Finding("runs", "ValueError: \ud83d"),)))
    records.record_learner("Zoë \udcff")
    assert [line.get("seen", line.get("learner")) for line in lines(folder)] == [
        "ValueError: \\ud83d",
        "Zoë \\udcff",
    ]
    assert records.hints("double") == 0
    assert len(records.read()) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
@pytest.mark.parametrize("name", [records.FILE, records.OLD_FILE])
def test_nobody_waits_for_what_is_no_file(folder, name):
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert records.read() == []


@contextmanager
def gone(folder, monkeypatch):
    """In a working directory that somebody has deleted."""
    place = folder / "deleted"
    place.mkdir()
    monkeypatch.chdir(place)
    place.rmdir()
    with pytest.raises(FileNotFoundError):
        os.getcwd()
    yield


@contextmanager
def no_space(folder, monkeypatch):
    """On a full disk."""

    def write(handle, text):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(records.os, "write", write)
    yield


@contextmanager
def no_entry(folder, monkeypatch):
    """In a folder that nobody may look into; Python 3.11 raises even where it is asked whether a file is there."""

    def refuse(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(records.Path, "is_file", refuse)
    monkeypatch.setattr(records.os, "open", refuse)
    yield


@pytest.mark.parametrize("where", [gone, no_space, no_entry], ids=lambda where: where.__name__)
def test_what_cannot_be_kept_is_remembered(folder, monkeypatch, where):
    with where(folder, monkeypatch):
        records.record(RIGHT)
        records.record_hint("triple", 2)
        assert records.hints("triple") == 2
        assert records.summary({"00": ["double"]}).done == 1


# Reading what is damaged or old


def test_record_cut_off_at_any_byte_costs_the_last_line_only_and_takes_new_ones(folder):
    for verdict in (WRONG, RIGHT, WRONG):
        records.record(verdict)
    path = folder / records.FILE
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        kept = records.read()
        complete = whole[: length + 1].count(b"\n")  # a line that lacks its end only is whole
        assert [event.status for event in kept] == ["wrong", "correct", "wrong"][:complete]
        records.record_hint("double", 1)
        assert records.read() == [*kept, Event(time=records.read()[-1].time, exercise="double", hint=1)]
        assert path.read_bytes().startswith(whole[:length])


@pytest.mark.parametrize(
    "bad",
    [b"\xff\xfe", b"{", b"[]", b"3", b"null", b'"x"', b"{}", b'{"exercise": 3}', b'{"status": null}', b'{"hint": true}',
     b"\x00" * 40, b'{"time": "t", "later": 1, "exercise": ["a"]}', b"9" * 5000],
)  # fmt: skip
def test_bad_line_is_skipped_and_kept(folder, bad):
    records.record(WRONG)
    with open(folder / records.FILE, "ab") as file:
        file.write(bad + b"\n")
    records.record(RIGHT)
    assert [event.status for event in records.read()] == ["wrong", "correct"]
    assert bad in (folder / records.FILE).read_bytes()


def test_fields_of_a_later_version_are_ignored(folder):
    (folder / records.FILE).write_text(
        '{"exercise": "double", "status": "superb", "mood": 1}\n', encoding="utf-8"
    )
    assert records.read() == [Event(exercise="double", status="superb")]
    shown = records.summary({"00": ["double"]})
    assert "double (superb)" in repr(shown)
    assert "superb" in shown._repr_html_()


def test_older_file_is_read_first_and_never_written(folder):
    (folder / records.FILE).unlink()
    old = folder / records.OLD_FILE
    old.write_text('{\n "double": "correct",\n "triple": 3,\n "half": "wrong"\n}', encoding="utf-8")
    before = old.read_bytes()
    records.record(WRONG)
    assert [(e.exercise, e.status) for e in records.read()] == [
        ("double", "correct"),
        ("half", "wrong"),
        ("double", "wrong"),
    ]
    assert records.standings(records.read())["double"].status == "correct"
    assert old.read_bytes() == before
    for garbage in (b"", b"[1]", b"\xff", b'{"a"'):
        old.write_bytes(garbage)
        assert [(e.exercise, e.status) for e in records.read()] == [("double", "wrong")]


def append(number):
    """What one of several kernels does."""
    for turn in range(50):
        records.record(Verdict(f"kernel {number}", "wrong", (Finding("turn", f"{turn} " * 50),)))


@pytest.mark.load
def test_kernels_that_write_at_once_lose_nothing(folder):
    with multiprocessing.get_context("forkserver").Pool(4) as pool:
        pool.map(append, range(4), chunksize=1)
    found = records.read()
    for number in range(4):
        own = [event.seen.partition(" ")[0] for event in found if event.exercise == f"kernel {number}"]
        assert own == [str(turn) for turn in range(50)]


# What the lines amount to


def test_standing_counts_tries_up_to_the_first_correct_one():
    def check(time, status, finding=""):
        return Event(time=time, exercise="double", status=status, finding=finding)

    events = [
        Event(time="1", exercise="double", hint=2),
        check("2", "wrong", "result"),
        check("3", "unmet", "race-free"),
        check("4", "wrong", "result"),
        Event(time="5", exercise="double", hint=1),
        check("6", "correct"),
        check("7", "wrong", "result"),
        Event(exercise="half", hint=1),
        Event(learner="Ada"),
        Event(learner="Zoë"),
    ]
    findings = (("result", 2), ("race-free", 1))
    assert records.standings(events) == {
        "double": Standing("correct", 4, 2, findings, first="1", last="7", solved="6"),
        "half": Standing("not attempted", 0, 1),
    }
    assert records.standings(events[:4])["double"] == Standing("wrong", 3, 2, findings, first="1", last="4")
    assert records.learner(events) == "Zoë"
    assert records.learner([]) == ""


def test_a_belief_is_what_was_said_before_something_came_out():
    def said(choice, name="speedup"):
        return Event(prediction=name, said=choice)

    def came(choice, name="speedup"):
        return Event(prediction=name, came=choice)

    events = [
        came("1000"),  # nobody had said anything
        said("2"),
        said("20"),
        Event(exercise="double", status="wrong"),
        came("100"),
        came("1000"),
        said("1000"),
        said("all", "light"),
    ]
    assert records.beliefs(events) == {"speedup": Belief("20", "1000", "1000"), "light": Belief("all")}
    assert records.beliefs(events[:1]) == {}
    assert records.beliefs([*events, said("20")])["speedup"] == Belief("20", "1000")
    assert [Belief(*each).right for each in [("20", "20"), ("20", "2"), ("20",), ()]] == [
        True,
        False,
        False,
        False,
    ]


def test_lines_of_predictions_are_nothing_to_who_asks_for_exercises(folder):
    records.record(WRONG)
    records.record_prediction("speedup", "20")
    assert records.standings(records.read()).keys() == {"double"}
    assert records.summary({"00": ["double"]}).recent == "double"
    known = {
        "time",
        "exercise",
        "status",
        "finding",
        "seen",
        "hint",
        "learner",
    }  # of a reader of the first edition
    assert all(set(line) & known for line in lines(folder)), "it would count such a line as broken"


def test_progress_counts_predictions_by_chapter_also_where_there_are_no_exercises():
    records.record_prediction("speedup", "20")
    records.record_prediction("light", "all")
    records.record_outcome("light", "all", "all")
    shown = records.summary(
        {"00_a": ["one"], "02_c": ["two"]}, predictions={"00_a": ["speedup", "light"], "01_b": ["x"]}
    )
    assert list(shown.chapters()) == ["00_a", "01_b", "02_c"]
    said = "2 of 2 made, 1 as it turned out"
    assert [shown.predicted(chapter) for chapter in shown.chapters()] == [
        said,
        "0 of 1 made, 0 as it turned out",
        "",
    ]
    assert f"00_a: predictions: {said}" in repr(shown) and said in shown._repr_html_()
    assert "02_c: predictions" not in repr(shown)


COURSE = {"00_a": ["one"], "01_b": ["two", "three"], "02_c": ["four"]}


@pytest.mark.parametrize(
    ("done", "next"),
    [
        ("", ("00_a", "one")),
        ("two", ("01_b", "three")),  # goes on where one is
        ("three two", ("02_c", "four")),
        ("four", ("00_a", "one")),  # nothing after it
        ("four two", ("01_b", "three")),
        ("one two three", ("02_c", "four")),
        ("one two three four", None),
        ("nosuch", ("00_a", "one")),
    ],
)
def test_next_is_unsolved_in_the_chapter_last_worked_on_or_after_it(done, next):
    for name in done.split():
        records.record(Verdict(name, "correct"))
    shown = records.summary(COURSE)
    assert shown.next == next
    assert (f"Next: {next[1]}" if next else "All of them are solved.") in repr(shown)
    assert (next[1] if next else "All of them are solved.") in shown._repr_html_()


def test_progress_of_the_course_has_all_its_exercises():
    shown = exercises.progress()
    assert [name for _, name, _ in shown.rows] == [
        e.name for found in exercises.by_chapter().values() for e in found
    ]
    assert shown.title == f"0 of {len(shown.rows)} exercises solved"
    found = [(stem, name) for stem, names in predictions.NAMES.items() for name in names]
    assert [(stem, name) for stem, name, _ in shown.predictions] == found


def test_a_line_is_written_in_one_piece(folder, monkeypatch):
    written = []
    write = os.write
    monkeypatch.setattr(records.os, "write", lambda handle, text: written.append(text) or write(handle, text))
    (folder / records.FILE).write_bytes(b"cut off")
    records.record(RIGHT)
    assert len(written) == 1
    assert written[0].startswith(b"\n{") and written[0].endswith(b"}\n")
