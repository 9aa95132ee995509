"""The class page: who is stuck, what goes wrong often; nothing from a file is trusted, and no broken one stops it."""

import json
import os
import re

import pytest

from numba_course.host import Trouble
from numba_course.launch import cli
from numba_course.teaching import classroom

TIME = "2026-11-28T16:05:47Z"
EVIL = '<script>alert("x")</script>'


def check(exercise, status="correct", finding="", seen=""):
    return {"time": TIME, "exercise": exercise, "status": status, "finding": finding, "seen": seen}


RACE = check("parallel_histogram", "unmet", "race-free", "iterations 0 and 1 both write counts[3]")


@pytest.fixture
def room(tmp_path):
    """Writes a learner's file into the folder of what was handed in."""

    def write(name, *lines):
        path = tmp_path / "class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path.relative_to(tmp_path / "class").as_posix()

    write.folder = tmp_path / "class"
    return write


def rows(page):
    """The texts of each row of the page's tables."""
    found = re.findall(r"<tr.*?>(.*?)</tr>", page, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]*>", " ", row).split()) for row in found]


def test_page_says_who_is_stuck_where_and_what_is_common(room):
    room("zoe/progress.jsonl", {"time": TIME, "learner": "Zoë Ōta"}, RACE, RACE, RACE, check("double"))
    room(
        "other.jsonl",
        RACE,
        {"time": TIME, "exercise": "double", "hint": 1},
        check("double", "wrong"),
        check("double"),
    )
    page = classroom.page_of(room.folder)
    found = rows(page)
    race = "race-free: iterations 0 and 1 both write counts[3]"
    assert f"Zoë Ōta parallel_histogram 3 0 {race}" in found  # and not the other, who tried once
    assert sum(row.startswith(("Zoë Ōta par", "Learner 1 par")) for row in found) == 1
    assert f"parallel_histogram 0 of 2 who tried – 0 2 × {race}" in found  # two learners, however often each
    assert "double 2 of 2 who tried 1.5 1 1 × wrong" in found
    assert any(row.startswith("Learner 1 1 of 1 0 of 3") for row in found)
    assert "cannot be read" not in page


def say(choice, prediction="speedup"):
    return {"time": TIME, "prediction": prediction, "said": choice}


def come(choice, prediction="speedup"):
    return {"time": TIME, "prediction": prediction, "came": choice, "seen": "1,246"}


def test_page_says_what_the_room_believed_before_and_after(room):
    room("a.jsonl", say("2"), say("20"), come("200"), say("200"))
    room("b.jsonl", say("20"), come("20"), say("all", "light"))
    room("c.jsonl", say("200"), come("200"), say("x", EVIL))
    page = classroom.page_of(room.folder)
    found = [row for row in rows(page) if row.startswith(("speedup", "light", "&lt;"))]
    asked = "How many times as fast as plain Python on lists is the compiled loop over the photograph?"
    said = "0 × 2 2 × 20 1 × 200"
    assert found[0] == f"speedup {asked} {said} 2 × 200 1 × 20 2 of 3 1 × 200"
    assert found[1].startswith("light Threads share") and found[1].endswith(
        "1 × all 0 × less 0 × error 0 of 1"
    )
    assert found[2].endswith("1 × x 0 of 1") and "<script" not in page
    assert "cannot be read" not in page


def test_a_class_that_predicted_nothing_is_said(room):
    room("a.jsonl", check("double"))
    assert "No record has a prediction." in classroom.page_of(room.folder)


def test_nobody_stuck_is_said(room):
    room("a.jsonl", RACE, RACE, check("parallel_histogram"))
    assert "Nobody has tried an exercise three times without success." in classroom.page_of(room.folder)


def test_without_names_nothing_says_who_is_who(room):
    room("zoe/progress.jsonl", {"time": TIME, "learner": "Zoë"}, RACE, RACE, RACE, "half a li")
    page = classroom.page_of(room.folder, names=False)
    assert "zo" not in page.lower()
    assert "File 1: 1 of its 5 lines cannot be read" in page
    assert any(row.startswith("Learner 1 parallel_histogram 3") for row in rows(page))


def test_everything_from_a_file_is_escaped(room):
    room(
        "a.jsonl",
        {"time": TIME, "learner": EVIL},
        *[check(EVIL, EVIL, EVIL, EVIL)] * 3,
        *[check("double", "wrong", "result", EVIL)] * 3,
    )
    page = classroom.page_of(room.folder)
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 6


def test_what_a_terminal_would_obey_is_written_out(room):
    room(
        "a.jsonl",
        {"time": TIME, "learner": "Zoë \x1b[31m \u202ede"},
        *[check("double", "wrong", "result", "\x9b2J")] * 3,
    )
    page = classroom.page_of(room.folder)
    assert not {"\x1b", "\u202e", "\x9b"} & set(page)
    assert "Zoë \\x1b[31m" in page


@pytest.mark.parametrize(
    "lines",
    [
        ["not json"],
        ["[1]", "null", "3"],
        ['{"exercise": 7, "status": "wrong"}'],
        ['{"time": "' + "x" * 50],
        ["[" * 100_000],
        [""],
    ],
)
def test_broken_file_is_named_and_the_others_are_shown(room, lines):
    broken = room("sub/broken.jsonl", *lines)
    room("good.jsonl", check("double"))
    page = classroom.page_of(room.folder)
    assert f"{broken}: has nothing in it that is of a record" in page
    assert "From 1 record." in page


def test_binary_file_and_one_without_permission_are_named(room, monkeypatch):
    room("good.jsonl", check("double"))
    (room.folder / "noise.jsonl").write_bytes(bytes(range(256)))
    (room.folder / "shut.jsonl").write_text("{}", encoding="utf-8")
    read = type(room.folder).read_bytes

    def refuse(path):
        if path.name == "shut.jsonl":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(type(room.folder), "read_bytes", refuse)
    page = classroom.page_of(room.folder)
    assert "noise.jsonl: has nothing in it" in page
    assert "shut.jsonl: cannot be read: Permission denied" in page


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_what_no_page_can_show_or_nobody_can_read_to_its_end_stops_nothing(room):
    half = {"time": TIME, "learner": "\ud83d"}
    room("half.jsonl", half, check("double", "wrong", "\ud83d", "x" * 1_000_000), *3 * [RACE])
    (room.folder / os.fsdecode(b"\xff.jsonl")).touch()
    (room.folder / "huge.jsonl").touch()
    os.truncate(room.folder / "huge.jsonl", classroom.LARGEST + 1)
    (room.folder / "device.jsonl").symlink_to("/dev/zero")
    room("pipe/progress.json", {"double": "correct"})
    os.mkfifo(room.folder / "pipe/progress.jsonl")
    page = classroom.page_of(room.folder)
    assert "?.jsonl: has nothing in it" in page.encode().decode()
    assert "huge.jsonl: is larger than 16 MB, as no record is" in page
    assert "pipe/progress.json: progress.jsonl is no file" in page
    assert "From 1 record." in page and len(page) < 20_000


def test_older_record_counts_alone_or_with_the_newer_one(room):
    room("a/progress.json", {"double": "correct"})
    room("b/progress.json", {"double": "correct"})
    room("b/progress.jsonl", check("axpy"))
    page = classroom.page_of(room.folder)
    assert "From 2 records." in page
    assert any(row.startswith("double 2 of 2 who tried") for row in rows(page))


def test_folder_without_records_gets_a_sentence(room, tmp_path):
    with pytest.raises(Trouble, match=r"has no records: collect each learner's progress\.jsonl"):
        classroom.page_of(tmp_path)


def test_command_writes_the_page(room, tmp_path, monkeypatch):
    room("zoe.jsonl", {"time": TIME, "learner": "Zoë"}, check("double"))
    monkeypatch.chdir(tmp_path)
    assert cli.run(["class", "class"]) == 0
    assert "Zoë" in (tmp_path / "class.html").read_text(encoding="utf-8")
    assert cli.run(["class", "class", "--no-names", "--output", "other.html"]) == 0
    assert "Zoë" not in (tmp_path / "other.html").read_text(encoding="utf-8")
