"""A chapter as an instructor has it: its notes are complete, under their headings, and no learner's."""

import re

import nbformat
import pytest

from numba_course.authoring import build, chapter_text
from numba_course.host import WrongUse
from numba_course.launch import cli
from numba_course.teaching import lesson

CHAPTERS = build.text_files()
TEXT = """\
---
numba_course:
  title: A toy
  minutes_teach: 3
  minutes_exercise: 2
  claims: {}
---

# 70. A toy

+++ {"tags": ["instructor-note"]}

*Aim:* all
of it. *Timing:* a minute.

+++

## One

```{code-cell}
1 + 1
```

The end of it.

+++ {"tags": ["instructor-note"]}

*Ask* about two.

+++

## Two

- a
- b

+++ {"tags": ["instructor-note"]}

*Goes wrong:* b.

+++

More.
"""


@pytest.fixture
def toy(tmp_path):
    """A small chapter whose notebook stores an output."""
    output = nbformat.v4.new_output("stream", text="2\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1", outputs=[output])])
    path = tmp_path / "70_toy.md"
    path.write_text(TEXT, encoding="utf-8")
    return lesson.lesson_of(path, notebook)


def test_notes_stand_under_their_headings_part_by_part(toy):
    assert toy.notes().split("\n\n") == [
        "# 70 A toy",
        "3 minutes, and 2 for exercises.",
        "*Aim:* all of it.",
        "*Timing:* a minute.",
        "## Two",
        "*Ask* about two.",
        "*Goes wrong:* b.\n",
    ]


def test_pieces_are_blocks_in_order_with_stored_outputs(toy):
    assert [piece.kind for piece in toy.pieces] == [
        "heading",
        "note",
        "heading",
        "code",
        "text",
        "note",
        "heading",
        "text",
        "note",
        "text",
    ]
    assert toy.pieces[3].outputs[0].text == "2\n"
    assert [piece.heading for piece in toy.pieces[3:7]] == ["One", "One", "Two", "Two"]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("part", ["Aim", "Timing", "Ask", "Goes wrong"])
def test_every_chapter_says_its_aim_timing_what_to_ask_and_what_goes_wrong(path, part):
    pieces = lesson.find(path.stem).pieces
    first = next(piece for piece in pieces if piece.kind == "note")
    said = re.search(rf"\*{part}:?\*(.*?)(?=\*[A-Z][\w ]*:?\*|$)", first.source, re.DOTALL)
    assert said and len(said[1].split()) >= 3, first.source


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_no_note_is_in_a_notebook(path):
    notes = [piece.source for piece in lesson.find(path.stem).pieces if piece.kind == "note"]
    assert notes
    for solved in (False, True):
        stored = build.target_path(path, solved).read_text(encoding="utf-8")
        assert chapter_text.NOTE not in stored
        assert not any(
            line.strip() in stored for note in notes for line in note.splitlines() if len(line) > 20
        )


@pytest.mark.parametrize("name", ["07_prange", "07", "7", "prange"])
def test_chapter_is_found_by_any_of_its_names(name):
    assert lesson.find(name).stem == "07_prange"


def test_unknown_chapter_gets_the_known_ones():
    with pytest.raises(WrongUse, match="there is no chapter 70; there are 00_start_here, 01_"):
        lesson.find("70")
    with pytest.raises(WrongUse, match=r"there is no chapter 07_prang; did you mean 07_prange\?"):
        lesson.find("07_prang")


def test_command_shows_the_notes_or_writes_them(tmp_path, capsys):
    assert cli.run(["notes", "07"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# 07 Share a loop among threads\n") and "*Goes wrong:*" in shown
    assert cli.run(["notes", "07", "--output", str(tmp_path / "notes.md")]) == 0
    assert (tmp_path / "notes.md").read_text(encoding="utf-8") == shown
