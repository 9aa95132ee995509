"""A learner's answers in their notebooks: found, cut out with what they need, checked, put aside, never lost."""

import copy
import json
import os

import pytest

from numba_course.exercises import records
from numba_course.host import Trouble
from numba_course.launch import cli
from numba_course.learner import answers, notebook_files, start, terminal

ANSWER = """from numba import njit

@njit
def double(values):
    return FACTOR * values
"""


@pytest.fixture(scope="module")
def chapters():
    """The first two chapters of the course."""
    return dict(list(notebook_files.chapters().items())[:2])


@pytest.fixture
def folder(chapters, tmp_path, monkeypatch):
    """A learner's folder with these chapters, which the commands find; the record of the session is empty."""
    folder = tmp_path / "Zoë Ōta"
    start.hand_out(chapters, folder)
    monkeypatch.setattr(notebook_files, "chapters", lambda: copy.deepcopy(chapters))
    monkeypatch.setattr(records, "_session", [])
    monkeypatch.chdir(folder)
    return folder


def answer(folder, chapters, exercise, source, stem="00_start_here"):
    """Write an answer in the place of a stub."""
    notebook = notebook_files.read_notebook(folder / f"{stem}.ipynb")
    notebook["cells"][place(notebook, chapters, exercise, stem)]["source"] = source
    notebook_files.write_notebook(folder / f"{stem}.ipynb", notebook)


@pytest.fixture
def bare(folder):
    """The folder, its notebooks without the course's cells of code but the exercises: these take seconds."""
    for path in folder.glob("*.ipynb"):
        notebook = notebook_files.read_notebook(path)
        notebook["cells"] = [
            c for c in notebook["cells"] if c["cell_type"] != "code" or notebook_files.is_exercise(c)
        ]
        notebook_files.write_notebook(path, notebook)
    return folder


def place(notebook, chapters, exercise, stem="00_start_here"):
    """The index of the cell that was delivered as the stub of an exercise."""
    stub = chapters[stem]["cells"][notebook_files.exercises(chapters[stem])[exercise]]
    return [cell["id"] for cell in notebook["cells"]].index(stub["id"])


def kept(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in (folder / "answers").iterdir()}


# Finding


def test_answer_is_found_where_the_learner_moved_or_rewrote_it(folder, chapters):
    def found():
        (one,) = [each for each in answers.collect(chapters, folder) if each.exercise == "double"]
        return [cell.text for cell in one.cells[-1:]]

    assert found() == []
    answer(folder, chapters, "double", ANSWER)
    assert found() == [ANSWER]
    notebook = notebook_files.read_notebook(folder / "00_start_here.ipynb")
    notebook["cells"].append(notebook["cells"].pop(place(notebook, chapters, "double")))
    notebook_files.write_notebook(folder / "00_start_here.ipynb", notebook)
    assert found() == [ANSWER]
    notebook["cells"][-1] = {"cell_type": "code", "metadata": {}, "source": [ANSWER, "# other"]}
    notebook_files.write_notebook(folder / "00_start_here.ipynb", notebook)
    assert found() == [ANSWER + "# other"]
    notebook["cells"][-1]["source"] = "x = 1"
    notebook_files.write_notebook(folder / "00_start_here.ipynb", notebook)
    assert found() == []


WAYS = {  # from what is in the stub's cell, and in a new one below it, to the cell that counts
    "lambda": ("from numba import njit\ndouble = njit(lambda values: 2 * values)", None),
    "assignment": ("def _double(values):\n    return 2 * values\n\ndouble = njit(_double)", None),
    "import": ("from my_answers import double", None),
    "timed": ("%%time\n@njit\ndef double(values):\n    return 2 * values", None),
    "below": (None, ANSWER),
    "second statement": ("def double(values):\n    return 2 * values", "double = njit(double)"),
    "helper": ("def _double(values):\n    return 2 * values", "double = njit(_double)"),
    "no Python": ("def double(values:\n    return 2", None),
}


def written(folder, chapters, own, below):
    """Write an answer in the stub's cell, and in a new cell below; return the notebook as it was."""
    before = notebook_files.read_notebook(folder / "00_start_here.ipynb")
    notebook = copy.deepcopy(before)
    at = place(notebook, chapters, "double")
    if own:
        notebook["cells"][at]["source"] = own
    if below:
        new = {"cell_type": "code", "id": "new", "metadata": {}, "source": below, "outputs": []}
        notebook["cells"].insert(at + 1, new)
    notebook_files.write_notebook(folder / "00_start_here.ipynb", notebook)
    return before


@pytest.mark.parametrize("way", WAYS)
def test_answer_is_whatever_binds_the_name_and_reset_takes_out_all_of_it(folder, chapters, way):
    own, below = WAYS[way]
    before = written(folder, chapters, own, below)
    (one,) = [each for each in answers.collect(chapters, folder) if each.exercise == "double"]
    assert one.cells[-1].text.splitlines()[1:] == (below or own).splitlines()[1:]
    _, kept_in = answers.reset(chapters, folder, "double")
    assert notebook_files.read_notebook(folder / "00_start_here.ipynb") == before
    assert kept_in.read_text(encoding="utf-8").strip() == "\n\n".join(filter(None, (own, below))).strip()
    assert not any(each.cells for each in answers.collect(chapters, folder))


@pytest.mark.parametrize("way", ["lambda", "below", "second statement"])
def test_newer_version_of_the_course_brings_no_second_stub(folder, chapters, way):
    written(folder, chapters, *WAYS[way])
    newer = copy.deepcopy(chapters)
    stub = newer["00_start_here"]["cells"][notebook_files.exercises(chapters["00_start_here"])["double"]]
    stub["source"] = notebook_files.text(stub) + "  # newer"
    start.hand_out(newer, folder, "9.9")
    notebook = notebook_files.read_notebook(folder / "00_start_here.ipynb")
    assert sum(map(notebook_files.is_exercise, notebook["cells"])) == 1


def test_notebook_that_is_not_there_has_no_answers(folder, chapters):
    (folder / "00_start_here.ipynb").unlink()
    assert not any(each.cells for each in answers.collect(chapters, folder))


CELL = '{"cell_type": "code", "metadata": {}, "source": %s}'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is not JSON (line 1: Expecting value)"),
        (b"{", "is not JSON (line 1"),
        (b'{"cells": [],\n "metadata": "\xff"}', "is not UTF-8 (byte 29)"),
        (b"[" * 100_000, "is no notebook"),
        (b"[" + b"9" * 10_000 + b"]", "is no notebook"),
        (b"[]", "is no notebook: it has no cells"),
        (b'{"metadata": {}, "cells": [%s, {}]}' % (CELL % '"x"').encode(), "in place 2 is no cell"),
        (b'{"metadata": {}, "cells": [%s]}' % (CELL % "null").encode(), "in place 1 is no cell"),
        (b'{"metadata": {}, "cells": [{"cell_type": "code", "metadata": {}}]}', "in place 1 is no cell"),
        *[
            (b'{"metadata": {}, "cells": [%s]}' % (CELL.replace("{}", more) % '"x"').encode(), "is no cell")
            for more in ('{}, "id": ["a"]', '{"tags": 3}')
        ],
    ],
)
@pytest.mark.parametrize("command", [["verify"], ["reset", "double"]])
def test_notebook_that_cannot_be_read_is_named_in_one_sentence(folder, content, said, command, capsys):
    (folder / "00_start_here.ipynb").write_bytes(content)
    assert cli.run(command) == 1
    complaint = capsys.readouterr().err
    assert f"00_start_here.ipynb {said}" in complaint or said in complaint
    assert complaint.endswith("; python3 -m numba_course start puts that right.\n")
    assert (folder / "00_start_here.ipynb").read_bytes() == content


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_pipe_a_device_or_a_huge_file_in_place_of_a_notebook_keeps_nobody_waiting(
    folder, monkeypatch, capsys
):
    path = folder / "00_start_here.ipynb"
    path.unlink()
    os.mkfifo(path)
    assert cli.run(["verify"]) == 1
    assert f"numba_course: This is no file ({path}).\n" == capsys.readouterr().err
    path.unlink()
    path.symlink_to("/dev/zero")
    assert cli.run(["verify"]) == 1
    assert "This is no file" in capsys.readouterr().err
    path.unlink()
    path.touch()
    os.truncate(path, notebook_files.LARGEST + 1)
    assert cli.run(["verify"]) == 1
    assert f"This is larger than 256 MB ({path}).\n" in capsys.readouterr().err


def test_half_of_a_pair_of_surrogates_stops_no_command(bare, chapters):
    answer(bare, chapters, "double", "x = '\ud83d'\n" + ANSWER.replace("FACTOR", "2"))
    path = bare / "00_start_here.ipynb"
    notebook = notebook_files.read_notebook(path)
    notebook["cells"][place(notebook, chapters, "double")]["source"] = "x = '\ud83d'\n" + ANSWER
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert cli.run(["verify"]) == 1
    assert cli.run(["reset", "double"]) == 0
    assert kept(bare) == {"double.py": "x = '?'\n" + ANSWER}


def test_notebook_that_is_a_link_stays_one(folder, chapters):
    answer(folder, chapters, "double", ANSWER)
    path, other = folder / "00_start_here.ipynb", folder.parent / "elsewhere.ipynb"
    path.rename(other)
    path.symlink_to(other)
    answers.reset(chapters, folder, "double")
    assert path.is_symlink() and ANSWER not in other.read_text(encoding="utf-8")


# verify


def test_verify_checks_each_answer_shows_what_was_found_and_records(bare, chapters, capsys):
    assert cli.run(["verify"]) == 0
    assert capsys.readouterr().out == "0 of 0 answers are correct; 4 exercises are not answered yet.\n"
    answer(bare, chapters, "double", ANSWER.replace("FACTOR", "2"))
    assert cli.run(["verify", str(bare)]) == 0
    assert "1 of 1 answers are correct; 3 exercises are not answered yet." in capsys.readouterr().out
    answer(
        bare,
        chapters,
        "sum_of_squares",
        "sum_of_squares = print\ndef sum_of_squares(n):\n    return n",
        "01_execution_model",
    )
    answer(bare, chapters, "double", "FACTOR = 3\n" + ANSWER)
    assert cli.run(["verify"]) == 1
    shown = capsys.readouterr().out
    assert "0 of 2 answers are correct; 2 exercises are not answered yet." in shown
    assert (
        "✗ double: wrong (chapter 00_start_here)\n  Asked: right result. Seen: the result is np.array([4.5])"
        in shown
    )
    assert (
        "✗ sum_of_squares: not compiled (chapter 01_execution_model)" in shown
        and "not attempted" not in shown
    )
    assert [(e.exercise, e.status) for e in records.read(bare)] == [
        ("double", "correct"),
        ("double", "wrong"),
        ("sum_of_squares", "not compiled"),
    ]


def test_answer_gets_the_verdict_that_it_had_in_the_session(bare, chapters):
    notebook = notebook_files.read_notebook(bare / "00_start_here.ipynb")
    table = "import numpy as np\n\nFACTORS = np.zeros(3)\nfor n in range(3):\n    FACTORS[n] = n"
    own = {"cell_type": "code", "id": "own", "metadata": {}, "source": table}
    notebook["cells"].insert(place(notebook, chapters, "double"), own)
    notebook_files.write_notebook(bare / "00_start_here.ipynb", notebook)
    answer(bare, chapters, "double", ANSWER.replace("FACTOR", "FACTORS[2]"))
    assert cli.run(["verify"]) == 0
    changing = "\n    values[:] = 2 * values\n    return values"
    answer(bare, chapters, "double", ANSWER.replace("\n    return FACTOR * values", changing))
    assert cli.run(["verify"]) == 1
    assert records.read(bare)[-1].finding == "leaves its inputs alone"


def test_answer_that_leaves_no_function_is_a_verdict(bare, chapters, capsys):
    answer(bare, chapters, "double", "def double(values):\n    return values\n\n\ndel double")
    assert cli.run(["verify"]) == 1
    assert "leaves no function double" in " ".join(capsys.readouterr().out.split())


# verify, where the answer needs more of the cells before it than can be seen without running them

FILLED = """import numpy as np
from pathlib import Path
from numba_course import exercises, lens

FACTORS = np.zeros(3)
def fill(array):
    array[:] = 2
    return 1

filled = fill(FACTORS)"""


def before(folder, chapters, *cells):
    """Put cells of the learner's own before the exercise `double`."""
    notebook = notebook_files.read_notebook(folder / "00_start_here.ipynb")
    for number, source in enumerate(cells):
        own = {"cell_type": "code", "id": f"own-{number}", "metadata": {}, "source": source}
        notebook["cells"].insert(place(notebook, chapters, "double"), own)
    notebook_files.write_notebook(folder / "00_start_here.ipynb", notebook)


def test_right_answer_that_needs_what_no_text_shows_is_correct_and_says_how(bare, chapters, capsys):
    before(bare, chapters, FILLED.replace("filled = ", "# "), "exec('FACTORS[:] = 2')")
    answer(bare, chapters, "double", ANSWER.replace("FACTOR", "FACTORS[2]"))
    assert cli.run(["verify"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "✓ double: correct (chapter 00_start_here, with all cells before it)" in shown
    assert [(e.exercise, e.status) for e in records.read(bare)] == [("double", "correct")]


def test_all_cells_run_as_in_the_notebook_and_leave_no_trace(bare, chapters, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before(
        bare,
        chapters,
        FILLED.replace("filled = ", "# "),
        "(Path('seen')).write_text('here')\ndisplay(3)\nfilled = fill(FACTORS)\n1 / 0\nFACTORS[:] = 7",
        "this is no Python",
        "exit()",
        "exercises.double.hint()\nexercises.double.check(lambda values: values)\nprint('much')",
        "exercises.records.record_hint('double', 2)",
        "lens.compare({'own function': fill}, FACTORS)\ncompared = len(FACTORS)",
        "import inspect\nassert 'array[:] = 2' in inspect.getsource(fill)\nread = compared",
    )
    source = "def double(values):\n    assert read == 3\n    return FACTORS[2] * values + nothing\n\n"
    checked = "exercises.double.hint()\nexercises.double.check(double)"
    answer(bare, chapters, "double", source + checked)
    assert cli.run(["verify", str(bare)]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "double: not compiled (chapter 00_start_here, with all cells before it)" in shown
    late = "from __future__ import annotations\nassert read == 3\nkind = lambda x: x\n"
    answer(bare, chapters, "double", late + ANSWER.replace("FACTOR", "FACTORS[2]"))
    assert cli.run(["verify", str(bare)]) == 0
    assert (bare / "seen").read_text() == "here"
    assert records.hints("double", bare) == 0
    assert [(e.exercise, e.status) for e in records.read(bare)] == [
        ("double", "not compiled"),
        ("double", "correct"),
    ]


@pytest.mark.parametrize("end", ["import os; os._exit(3)", "while True: pass"])
def test_cells_that_come_to_no_end_are_said_and_the_verdict_without_them_stands(
    bare, chapters, monkeypatch, capsys, end
):
    monkeypatch.setattr(answers, "ALL_SECONDS", 3)
    before(bare, chapters, end)
    answer(bare, chapters, "double", ANSWER.replace("FACTOR", "3"))
    assert cli.run(["verify"]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "✗ double: wrong (chapter 00_start_here)" in shown
    assert "; not checked with all cells before it: cell " in shown
    assert f" of 00_start_here.ipynb ({end}) did not come to its end: " in shown


def test_finding_tells_the_line_of_the_cell(bare, chapters, capsys):
    before(bare, chapters, "import numpy as np\n" + "table = np.zeros(3)\n" * 9)
    lines = "from numba import njit\n\n@njit\ndef double(values):\n    table\n    return values.nosuch"
    answer(bare, chapters, "double", lines)
    assert cli.run(["verify"]) == 1
    assert "Line 6: return values.nosuch" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "cells",
    [
        ("FACTOR = 3\n1 / 0\nFACTOR = 2",),
        ("FACTOR = 2", "del FACTOR"),
        ("FACTOR = 2", "def spoil():\n    global FACTOR\n    FACTOR = 3", "spoil()"),
        ("FACTOR = 2", "exec('FACTOR = 3')"),
        ("FACTOR = 2", "%run own.py"),
        ("FACTOR = 2", "from own import *"),
        ("FACTOR = 2", "t = %timeit -o sum(range(3))\nif t.best > 0:\n    FACTOR = 3"),
    ],
)
def test_answer_that_is_wrong_in_the_notebook_is_not_correct_here(bare, chapters, cells):
    (bare / "own.py").write_text("FACTOR = 3", encoding="utf-8")
    before(bare, chapters, *cells)
    answer(bare, chapters, "double", ANSWER)
    assert cli.run(["verify"]) == 1


def test_answer_from_a_file_beside_the_notebook_is_judged(bare, chapters, capsys):
    (bare / "my_answers.py").write_text(ANSWER.replace("FACTOR", "2"), encoding="utf-8")
    answer(bare, chapters, "double", "from my_answers import double")
    assert cli.run(["verify"]) == 0
    assert "1 of 1 answers are correct" in capsys.readouterr().out


def test_error_in_a_helper_is_told_with_the_cell_that_it_stands_in(bare, chapters, capsys):
    lines = "from numba import njit\n\n@njit\ndef helper(values):\n    return values.nosuch"
    before(bare, chapters, "# first\n", lines)
    answer(
        bare,
        chapters,
        "double",
        "@njit\ndef double(values):\n    # 3\n    # 4\n    # 5\n    return helper(values)",
    )
    notebook = notebook_files.read_notebook(bare / "00_start_here.ipynb")
    number = [notebook_files.text(cell) for cell in notebook["cells"]].index(lines) + 1
    assert cli.run(["verify"]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert f"(line 5 of cell {number} of 00_start_here.ipynb: return values.nosuch)" in shown
    assert "# 5" not in shown


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\n\ndef double(values:\n    return 2", "was never closed. Line 3: def double(values:"),
        ("x = 1\nx.nosuch\n\ndef double(values):\n    return 2", "'nosuch'. Line 2: x.nosuch"),
    ],
)
def test_answer_that_does_not_run_is_told_with_its_line(bare, chapters, capsys, source, said):
    answer(bare, chapters, "double", source)
    assert cli.run(["verify"]) == 1
    assert said in " ".join(capsys.readouterr().out.split())


def test_cell_that_ended_the_process_is_named_where_the_answer_may_be_right_by_chance(bare, chapters, capsys):
    before(bare, chapters, "FACTOR = 2", "exec('FACTOR = 2')", "# now\nimport os\nos._exit(3)")
    answer(bare, chapters, "double", ANSWER)
    assert cli.run(["verify"]) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert " of 00_start_here.ipynb (import os) did not come to its end: the process" in shown
    assert "exit code 3" in shown


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (
            "import nosuch\nFACTOR = 2",
            "(import nosuch) runs before it and ended with ModuleNotFoundError: No",
        ),
        ("%%cython\nFACTOR = 2", "; %%cython in cell "),
    ],
)
def test_what_may_be_the_cause_of_a_wrong_answer_is_said(bare, chapters, capsys, cell, said):
    before(bare, chapters, cell)
    answer(bare, chapters, "double", ANSWER)
    assert cli.run(["verify"]) == 1
    assert said in " ".join(capsys.readouterr().out.split())


# reset


def test_reset_brings_the_stub_back_and_keeps_every_answer(folder, chapters, capsys):
    before = notebook_files.read_notebook(folder / "00_start_here.ipynb")
    for source in (ANSWER, "def double(values):\n    return 1"):
        answer(folder, chapters, "double", source)
        assert cli.run(["reset", "double"]) == 0
    assert notebook_files.read_notebook(folder / "00_start_here.ipynb") == before
    assert kept(folder) == {"double.py": ANSWER, "double-2.py": "def double(values):\n    return 1\n"}
    assert str(folder / "answers" / "double-2.py") in capsys.readouterr().out
    assert cli.run(["reset", "double"]) == 0
    assert len(kept(folder)) == 2


def test_messages_show_brackets_in_the_name_of_a_folder(folder, chapters, capsys):
    start.hand_out(chapters, folder / "my [course]")
    answer(folder / "my [course]", chapters, "double", ANSWER)
    assert cli.run(["reset", "double", str(folder / "my [course]")]) == 0
    assert capsys.readouterr().out.count("my [course]") == 2


def test_reset_of_an_exercise_that_was_deleted_puts_it_before_its_check(folder, chapters):
    before = notebook_files.read_notebook(folder / "00_start_here.ipynb")
    notebook = copy.deepcopy(before)
    del notebook["cells"][place(notebook, chapters, "double")]
    notebook_files.write_notebook(folder / "00_start_here.ipynb", notebook)
    assert answers.reset(chapters, folder, "double") == (folder / "00_start_here.ipynb", None)
    texts = [
        notebook_files.text(cell)
        for cell in notebook_files.read_notebook(folder / "00_start_here.ipynb")["cells"]
    ]
    assert texts == [notebook_files.text(cell) for cell in before["cells"]]


def test_reset_that_cannot_keep_the_answer_changes_nothing(folder, chapters):
    answer(folder, chapters, "double", ANSWER)
    before = (folder / "00_start_here.ipynb").read_bytes()
    (folder / "answers").touch()
    with pytest.raises(Trouble):
        answers.reset(chapters, folder, "double")
    assert (folder / "00_start_here.ipynb").read_bytes() == before


def test_reset_of_a_damaged_notebook_is_refused_in_one_sentence(folder, chapters):
    (folder / "00_start_here.ipynb").write_bytes(b"{")
    with pytest.raises(Trouble, match=r"is not JSON .*; python3 -m numba_course start puts that right\.$"):
        answers.reset(chapters, folder, "double")
    assert (folder / "00_start_here.ipynb").read_bytes() == b"{"


# hint, progress, and whose folder it is


def test_hints_come_one_after_the_other_from_process_to_process(folder, capsys):
    for _ in range(2):
        assert cli.run(["hint", "double"]) == 0
    assert cli.run(["hint", "double", "1"]) == 0
    shown = capsys.readouterr().out
    assert [line.partition(" of")[0] for line in shown.splitlines() if "hint" in line and " of " in line] == [
        "double: hint 1",
        "double: hint 2",
        "double: hint 1",
    ]
    assert records.hints("double", folder) == 2


def test_progress_shows_what_is_done_and_what_is_next(folder, capsys):
    (folder / records.FILE).write_text(
        '{"exercise": "double", "status": "wrong"}\n{"exercise": "double", "status": "correct"}\n',
        encoding="utf-8",
    )
    assert cli.run(["progress", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "1 of 4 exercises solved" in shown
    assert "✓ double (2 tries)" in shown
    lines = [line.rstrip() for line in shown.splitlines()]
    assert any(line.endswith("  ○ sum_of_squares") for line in lines)  # no icon at the end of another line
    assert "Next: sum_of_squares, in chapter 01_execution_model" in shown


def test_progress_shows_the_predictions_of_a_chapter_below_its_exercises(capsys):
    rows = (("00_a", "double", records.Standing()),)
    said = (("00_a", "speedup", records.Belief("20", "1000")), ("01_b", "light", records.Belief()))
    terminal.progress(terminal.console(), records.Progress(rows, predictions=said))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "predictions: 1 of 1 made, 0 as it turned out" in lines
    assert "01_b predictions: 0 of 1 made, 0 as it turned out" in lines


@pytest.mark.parametrize("command", [["reset", "doubel"], ["hint", "doubel"]])
def test_unknown_exercise_is_said_without_a_traceback(folder, command, capsys):
    assert cli.run(command) == 2
    assert "there is no exercise doubel; did you mean double?" in " ".join(capsys.readouterr().err.split())


def test_hint_that_there_is_not_ends_with_2(folder, capsys):
    assert cli.run(["hint", "double", "4"]) == 2
    assert "double has hints 1 to 3, not 4" in capsys.readouterr().err
    assert records.hints("double", folder) == 0


@pytest.mark.parametrize("command", [["progress"], ["verify"], ["reset", "double"]])
def test_folder_of_nobody_is_said_and_the_one_in_the_home_is_found(
    folder, tmp_path, monkeypatch, command, capsys
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(elsewhere))
    monkeypatch.setenv("USERPROFILE", str(elsewhere))
    assert cli.run(command) == 1
    said = capsys.readouterr().err
    assert "numba-course is no folder of yours yet; python3 -m numba_course start makes one." in said
    assert cli.run([*command, str(elsewhere)]) == 2
    assert "elsewhere is no folder of yours" in capsys.readouterr().err
    folder.rename(elsewhere / "numba-course")
    assert cli.run(command) == 0
