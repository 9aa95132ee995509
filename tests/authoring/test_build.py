"""The build: one text gives two notebooks, the same bytes each time; every fault of a chapter is named."""

import os
import sys
import textwrap
from types import SimpleNamespace

import nbformat
import pytest

from numba_course.authoring import build, chapter_text, notebook_kernels
from numba_course.authoring import stored_outputs as outputs
from numba_course.exercises.predictions import Prediction
from numba_course.host import WrongUse
from numba_course.lens import figures
from numba_course.lens.comparison import Candidate, Comparison

DOUBLE = SimpleNamespace(name="double", solution_source="def double(values):\n    return 2 * values")
HEADER = """\
---
numba_course:
  title: A toy
  minutes_teach: 3
  minutes_exercise: 2
  claims: {}
---
"""
CHAPTER = (
    HEADER
    + """
# Doubling

+++ {"tags": ["instructor-note"]}

Ask the room first.

+++

Prose for all.

```{code-cell}
import time, warnings
from toy import double_exercise, noise
exercises = double_exercise()
```

```{code-cell}
:tags: [exercise]
def double(values):
    ...
```

```{code-cell}
exercises.double.check(double)
```

```{code-cell}
print(f"It took ⟨{time.perf_counter_ns()} ns⟩.")
warnings.warn("careful")
```

```{code-cell}
noise()
```
"""
)
# What the kernel of the toy chapter imports: a check without Numba, and an image that differs each time.
TOY = """
import base64, os
from types import SimpleNamespace
from IPython.display import display

class Double:
    def check(self, answer):
        done = answer(1) == 2
        print("double: correct" if done else "double: not attempted yet")

def double_exercise():
    return SimpleNamespace(double=Double())

def noise():
    png = base64.b64encode(os.urandom(30)).decode()
    twin = {"image/png": png, "text/plain": "Figure: noise"}
    display(twin, raw=True, metadata={"image/png": {"alt": "noise", "width": 3}})
"""
STUB = "```{code-cell}\n:tags: [exercise]\ndef double(values):\n    ...\n```\n"
SPEEDUP = Prediction("speedup", "How many times?", (2, 20), 20)
CAUGHT = Prediction("caught", "Is it caught?", ("all", "none"), "all")
ASK = "```{code-cell}\n:tags: [prediction]\npredict.speedup(...)  # 2 or 20\n```\n"
OUTCOME = "```{code-cell}\npredict.speedup.outcome(3.0)\n```\n"
CHECK = "```{code-cell}\nexercises.double.check(double)\n```\n"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """An empty course in a folder of its own; gives a function that writes a chapter and returns its path."""
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(build, "ROOT", tmp_path)
    monkeypatch.setattr(build.exercises, "NAMES", {"70_toy": (DOUBLE.name,)})
    monkeypatch.setattr(build.exercises, "of_chapter", {"70_toy": (DOUBLE,)}.get)
    folder = tmp_path / "notebooks" / "source"
    folder.mkdir(parents=True)

    def write(text, stem="70_toy"):
        path = folder / f"{stem}.md"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def run(*args, **kwargs):
    """Exit status and report of a build."""
    said = []
    return build.build_all(*args, echo=said.append, **kwargs), "\n".join(said)


def stored_bytes():
    return {path: path.read_bytes() for path in build.stored_notebooks()}


def code(text, outputs=(), **metadata):
    cell = nbformat.v4.new_code_cell(text, metadata=metadata, outputs=list(outputs))
    return nbformat.from_dict(cell)


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def figure(png="AAAA", alt="a line"):
    data = {"image/png": png, "text/plain": f"Figure: {alt}"}
    return nbformat.v4.new_output("display_data", data=data, metadata={"image/png": {"alt": alt}})


def book(*cells):
    made = nbformat.v4.new_notebook(cells=list(cells))
    outputs.normalise(made)
    return made


# From text to cells


def test_a_chapter_becomes_a_blank_and_a_solved_notebook(course):
    chapter = chapter_text.read_chapter(course(CHAPTER), [DOUBLE])
    blank, solved = chapter.notebook(solved=False), chapter.notebook(solved=True)
    about = {"title": "A toy", "minutes_teach": 3, "minutes_exercise": 2, "claims": {}}
    assert blank.metadata["numba_course"] == about
    assert [cell.id for cell in blank.cells] == [f"70_toy-{i:03d}" for i in range(7)]
    assert "Ask the room" not in nbformat.writes(blank) and "Prose for all." in nbformat.writes(blank)
    different = [
        (old.source, new.source) for old, new in zip(blank.cells, solved.cells, strict=True) if old != new
    ]
    assert different == [("def double(values):\n    ...", DOUBLE.solution_source)]
    nbformat.validate(blank)


def test_notebooks_of_a_chapter_share_nothing(course):
    chapter = chapter_text.read_chapter(course(CHAPTER), [DOUBLE])
    chapter.notebook(solved=True).cells[2].source = "changed"
    assert chapter.notebook(solved=True).cells[2].source != "changed"


FAULTS = {
    "no front matter": ("# Doubling\n", "the front matter must give numba_course: title, minutes_teach"),
    "metadata missing": (
        HEADER.replace("  minutes_teach: 3\n", ""),
        "the front matter must give numba_course",
    ),
    "metadata of a wrong type": (
        HEADER.replace("3", "long"),
        "minutes_teach must be of type int, not 'long'",
    ),
    "front matter not YAML": (HEADER.replace("A toy", "[A toy"), "while parsing a flow sequence"),
    "claim without a right sentence": (
        HEADER.replace("{}", "{A1: [wrong, It is slow.]}"),
        "claim A1 must be [verdict, sentence, right sentence]",
    ),
    "claim with a verdict of its own": (
        HEADER.replace("{}", "{A1: [maybe, It is slow., It is fast.]}"),
        "claim A1 must be",
    ),
    "claim without proof": (
        HEADER.replace("{}", "{A1: [wrong, It is slow., It is fast.]}") + "```{code-cell}\n1\n```\n",
        "no code cell is tagged claim-A1",
    ),
    "proof without a claim": (
        HEADER + "```{code-cell}\n:tags: [claim-A1]\n1\n```\n",
        "the front matter has no claim for claim-A1",
    ),
    "options not YAML": (HEADER + "```{code-cell}\n:tags: [a\n1\n```\n", "Invalid YAML"),
    "no stub": (HEADER + CHECK, "exercise double has no stub cell"),
    "no check": (HEADER + STUB, "the code cell after the stub of double must check it"),
    "another cell before the check": (
        HEADER + STUB + "```{code-cell}\n1\n```\n" + CHECK,
        "the code cell after the stub of double must check it",
    ),
    "check commented out": (
        HEADER + STUB + CHECK.replace("exercises", "# exercises"),
        "the code cell after the stub of double must check it",
    ),
    "another answer checked": (
        HEADER + STUB + CHECK.replace("(double)", "(double_it)"),
        "the code cell after the stub of double must check it",
    ),
    "two stubs": (HEADER + 2 * (STUB + CHECK), "exercise double has two stub cells"),
    "unknown exercise": (
        HEADER + STUB.replace("double", "treble") + CHECK,
        "the chapter has no exercise treble for this stub; it has: double",
    ),
    "stub without a function": (
        HEADER + STUB.replace("def double(values):\n    ", ""),
        "defines no function",
    ),
    "stub not Python": (HEADER + STUB.replace("(values):", "(values)"), "is not Python"),
    "errors allowed": (
        CHAPTER.replace("exercise]", "exercise, raises-exception]"),
        "not be tagged raises-exception",
    ),
    "cell skipped": (CHAPTER.replace("exercise]", "exercise, nbval-skip]"), "not be tagged nbval-skip"),
    "tags not a list": (
        CHAPTER.replace("[exercise]", "exercise"),
        "'exercise' is not of type 'array'",
    ),
    "a note that is code": (CHAPTER.replace("exercise]", "instructor-note]"), "but is not a text cell"),
    "a note that is not closed": (
        CHAPTER.replace("Ask the room first.\n\n+++", "Ask the room first.\n\n## Halves"),
        "`## Halves` stands in an instructor-note",
    ),
    "code cell in a list": (
        CHAPTER + "\n- item\n\n  ```{code-cell}\n  1 + 1\n  ```\n",
        "a code-cell is indented or not closed in the text cell",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_chapter_is_refused_with_its_name_and_the_reason(course, fault):
    text, message = FAULTS[fault]
    with pytest.raises(chapter_text.ChapterError) as caught:
        chapter_text.read_chapter(course(text), [DOUBLE])
    assert str(caught.value).startswith("70_toy.md: ") and message in str(caught.value)


def test_a_prediction_is_blank_in_one_notebook_and_answered_in_the_other(course):
    text = HEADER + (ASK + OUTCOME) + (ASK + OUTCOME).replace("speedup", "caught")
    chapter = chapter_text.read_chapter(course(text), [], [SPEEDUP, CAUGHT])
    blank, solved = chapter.notebook(solved=False), chapter.notebook(solved=True)
    pairs = [
        (old.source, new.source) for old, new in zip(blank.cells, solved.cells, strict=True) if old != new
    ]
    assert pairs == [
        ("predict.speedup(...)  # 2 or 20", "predict.speedup(20)  # 2 or 20"),
        ("predict.caught(...)  # 2 or 20", 'predict.caught("all")  # 2 or 20'),
    ]
    assert blank.metadata["numba_course"]["predictions"] == [
        {"name": "speedup", "question": "How many times?", "choices": ["2", "20"]},
        {"name": "caught", "question": "Is it caught?", "choices": ["all", "none"]},
    ]


WRONGLY_ASKED = {
    "not asked": (OUTCOME, "prediction speedup has no cell that asks it"),
    "not compared": (ASK, "a code cell below that of prediction speedup must say its outcome"),
    "compared before": (OUTCOME + ASK, "a code cell below that of prediction speedup must say its outcome"),
    "compared in a comment": (ASK + OUTCOME.replace("predict", "# predict"), "must say its outcome"),
    "asked twice": (ASK + ASK + OUTCOME, "prediction speedup has two prediction cells"),
    "compared twice": (ASK + OUTCOME + OUTCOME, "prediction speedup has two outcome cells"),
    "unknown": ((ASK + OUTCOME).replace("speedup", "spread"), "no prediction spread; it has: speedup"),
    "without its tag": (
        ASK.replace("[prediction]", "[]") + OUTCOME,
        "predicts, but is not tagged prediction",
    ),
    "with an answer": (ASK.replace("...", "20") + OUTCOME, "must ask one prediction"),
    "empty": (ASK.replace("predict.speedup(...)", "1") + OUTCOME, "must ask one prediction"),
}


@pytest.mark.parametrize("fault", WRONGLY_ASKED)
def test_a_prediction_without_its_two_cells_is_refused(course, fault):
    text, message = WRONGLY_ASKED[fault]
    with pytest.raises(chapter_text.ChapterError, match=r"70_toy\.md: ") as caught:
        chapter_text.read_chapter(course(HEADER + text), [], [SPEEDUP])
    assert message in str(caught.value)


# Outputs: what is stored, and what stays


def test_outputs_are_brought_into_the_stored_form():
    noisy = figure()
    noisy.metadata = nbformat.from_dict({"image/png": {"alt": "a line", "width": 3}, "isolated": True})
    result = nbformat.v4.new_output("execute_result", data={"text/plain": "1"}, execution_count=9)
    warning = stream("/tmp/ipykernel_12/345.py:1: UserWarning: careful\n", "stderr")
    made = book(code("a", [warning]), nbformat.v4.new_markdown_cell("text"), code("b", [noisy, result]))
    first, second = outputs.code_cells(made)
    assert (first.execution_count, second.execution_count) == (1, 2)
    assert first.outputs[0].text == "cell.py:1: UserWarning: careful\n"
    assert second.outputs[0].metadata == {"image/png": {"alt": "a line"}}
    assert second.outputs[1].execution_count == 2


@pytest.mark.parametrize(
    "text",
    [
        "/tmp/ipykernel_1/2.py",
        "../../../tmp/ipykernel_17/1234567.py",
        "/var/folders/zz/x-1_2/T/ipykernel_1/2.py",
        "C:\\Users\\me\\AppData\\Local\\Temp\\ipykernel_1\\2.py",
    ],
)
def test_the_file_of_a_cell_is_renamed_wherever_it_lies(text):
    assert outputs.same_text(f'File "{text}", line 3') == 'File "cell.py", line 3'


@pytest.mark.parametrize(
    "text", ["12 ms", "0x7f00aa", "5 s", "<12 ms>", "⟨no end", "⟨two\nlines⟩", "/tmp/a/1.py"]
)
def test_nothing_else_is_left_out_of_the_comparison(text):
    assert outputs.same_text(text) == text


def test_volatile_numbers_stay_as_they_were_stored():
    new, old = book(code("a", [stream("sum 3 in ⟨2 ms⟩")])), book(code("a", [stream("sum 3 in ⟨1 ms⟩")]))
    outputs.keep_stored(new, old)
    assert new.cells[0].outputs == old.cells[0].outputs


@pytest.mark.parametrize(
    "changed",
    [
        stream("sum 4 in ⟨1 ms⟩"),
        stream("sum 3 in ⟨1 ms⟩", "stderr"),
        nbformat.v4.new_output("display_data", data={"text/plain": "sum 3 in ⟨1 ms⟩"}),
    ],
    ids=["digit", "stream", "kind"],
)
def test_any_other_change_of_an_output_is_stored(changed):
    new, old = book(code("a", [changed])), book(code("a", [stream("sum 3 in ⟨1 ms⟩")]))
    outputs.keep_stored(new, old)
    assert new.cells[0].outputs == [changed]


def test_an_image_stays_while_the_code_so_far_is_unchanged():
    new, old = (
        book(code("x = 1"), code("draw(x)", [figure("NEW")])),
        book(code("x = 1"), code("draw(x)", [figure()])),
    )
    outputs.keep_stored(new, old)
    assert new.cells[1].outputs[0].data["image/png"] == "AAAA"


@pytest.mark.parametrize(
    ("earlier", "alt"),
    [("x = 2", "a line"), ("x = 1", "two lines")],
    ids=["earlier code", "alternative text"],
)
def test_an_image_is_renewed_with_the_code_before_it_or_its_text(earlier, alt):
    new = book(code(earlier), code("draw(x)", [figure("NEW", alt)]))
    outputs.keep_stored(new, book(code("x = 1"), code("draw(x)", [figure()])))
    assert new.cells[1].outputs[0].data["image/png"] == "NEW"


def told(times, alt="a line.", first="x = 1"):
    """A notebook that prints a relation, tells it beside a figure, and shows a number of another cell."""
    relation = f"b is more than 1.5 times as fast as a: ⟨yes: {times} times⟩"
    drawn = figure(times, f"{alt} As measured: {relation}.")
    return book(
        code(first),
        code("ask()", [stream(relation)]),
        code("draw()", [drawn]),
        code("c", [stream(f"⟨{times}⟩")]),
    )


def shown_by(notebook):
    return [cell.outputs for cell in notebook.cells]


CHANGES = {"code": {"first": "x = 2"}, "alternative text": {"alt": "a bar."}}


@pytest.mark.parametrize("changed", CHANGES)
def test_outputs_stay_all_or_none(changed):
    same, other = told("3.5"), told("3.5", **CHANGES[changed])
    outputs.keep_stored(same, told("2"))
    outputs.keep_stored(other, told("2"))
    assert shown_by(same) == shown_by(told("2")) and shown_by(other) == shown_by(
        told("3.5", **CHANGES[changed])
    )


def test_a_cell_put_in_between_renews_all():
    old = book(code("a", [stream("⟨1 ms⟩")]), code("a", [stream("⟨2 ms⟩")]))
    new = book(code("a", [stream("⟨7 ms⟩")]), code("new"), code("a", [stream("⟨8 ms⟩")]))
    outputs.keep_stored(new, old)
    assert shown_by(new) == [[stream("⟨7 ms⟩")], [], [stream("⟨8 ms⟩")]]


@pytest.mark.parametrize("cell", ["ask()", "draw()"])
def test_stored_outputs_that_contradict_each_other_do_not_stay(cell):
    mixed, elsewhere = told("2"), told("4")
    for kept, other in zip(mixed.cells, elsewhere.cells, strict=True):
        kept.outputs = other.outputs if kept.source == cell else kept.outputs
    assert outputs.contradictions(mixed) == {
        "b is more than 1.5 times as fast as a": ["yes: 2 times", "yes: 4 times"]
    }
    new = told("3.5")
    outputs.keep_stored(new, mixed)
    assert shown_by(new) == shown_by(told("3.5")) and not outputs.contradictions(new)


@pytest.mark.parametrize(("earlier", "kept"), [("x = 1", "four cores"), ("x = 2", "two cores")])
def test_an_ignored_output_stays_while_the_code_so_far_is_unchanged(earlier, kept):
    tags = ["nbval-ignore-output", "why-machine"]
    new = book(code(earlier), code("cores(x)", [stream("two cores")], tags=tags))
    outputs.keep_stored(new, book(code("x = 1"), code("cores(x)", [stream("four cores")], tags=tags)))
    assert new.cells[1].outputs[0].text == kept


# The whole build


def test_building_again_changes_no_byte_and_check_agrees(course):
    course(CHAPTER)
    assert run()[0] == 0
    first = stored_bytes()
    assert [path.parent.name for path in first] == ["notebooks", "solutions"]
    for path, word in zip(first, ("not attempted", "correct"), strict=True):
        stored = nbformat.read(path, as_version=4)
        assert word in stored.cells[4].outputs[0].text
        assert [cell.execution_count for cell in outputs.code_cells(stored)] == [1, 2, 3, 4, 5]
        assert "cell.py:2: UserWarning" in stored.cells[5].outputs[1].text
    status, said = run()
    assert (status, said.count("unchanged")) == (0, 2)
    assert run(check=True)[0] == 0
    assert stored_bytes() == first
    for path in first:
        path.unlink()
    assert run()[0] == 0
    assert stored_bytes() != first  # the toy does have a timing and an image that differ


def test_check_shows_a_changed_output_and_writes_nothing(course):
    path = course(HEADER + "```{code-cell}\nprint('one')\nprint('two')\n```\n", "71_small")
    assert run([path])[0] == 0
    target = build.target_path(path, solved=False)
    target.write_text(target.read_text(encoding="utf-8").replace("one\\n", "eleven\\n"), encoding="utf-8")
    before = stored_bytes()
    status, said = run([path], check=True)
    assert status == 1
    assert "notebooks/71_small.ipynb: stale" in said and "solutions/71_small.ipynb: unchanged" in said
    assert "-  │ text: eleven" in said.splitlines() and "+  │ text: one" in said.splitlines()
    assert stored_bytes() == before


def test_check_shows_changed_cells_without_executing_them(course, monkeypatch):
    monkeypatch.setattr(build, "execute", None)
    path = course(HEADER + "```{code-cell}\na = 1\nb = 2\n```\n", "71_small")
    target = build.Target(build.complete_chapter(path), solved=False)
    nbformat.write(target.chapter.notebook(solved=False), target.path)
    assert build.stale(target) == []
    course(HEADER + "```{code-cell}\na = 1\nb = 3\n```\n", "71_small")
    status, said = run([path], check=True)
    assert status == 1
    assert "-b = 2" in said.splitlines() and "+b = 3" in said.splitlines()
    assert "solutions/71_small.ipynb: stale" in said  # it does not exist


@pytest.mark.parametrize("part", ["tags", "id", "metadata"])
def test_a_stored_notebook_is_stale_in_any_part_that_the_text_gives(course, part):
    target = build.Target(build.complete_chapter(course(CHAPTER)), solved=False)
    stored = target.chapter.notebook(solved=False)
    if part == "tags":
        stored.cells[3].metadata = {"tags": ["nbval-skip"]}
    elif part == "id":
        stored.cells[3].id = "other"
    else:
        stored.metadata.numba_course.title = "Another"
    nbformat.write(stored, target.path)
    assert build.stale(target)


BROKEN = {
    "raises": ("x = 1\nraise ValueError('first\\nsecond')", "ValueError: first"),
    "numba": (
        "raise TypeError('Failed in nopython mode pipeline (step: x)\\nNo match\\nmore')",
        "TypeError: No match",
    ),
    "dies": (
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "kernel died while running this cell (exit status -11, SIGSEGV)",
    ),
}


@pytest.mark.load
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_failing_cell_is_named_in_one_line_and_its_notebook_not_written(course):
    for stem, (text, _) in BROKEN.items():
        course(
            HEADER + f"```{{code-cell}}\nfine = 1\n```\n```{{code-cell}}\n{text}\n```\n",
            stem,
        )
    status, said = run()
    assert status == 1
    expected = [
        f"{folder}/{stem}.ipynb: code cell 2 `{text.splitlines()[0]}`: {reason}"
        for stem, (text, reason) in BROKEN.items()
        for folder in ("notebooks", "solutions")
    ]
    assert sorted(said.splitlines()) == sorted(expected)
    assert build.stored_notebooks() == []


@pytest.mark.load
def test_a_cell_that_does_not_end_is_named(course, monkeypatch):
    monkeypatch.setattr(notebook_kernels, "CELL_SECONDS", 1)
    course(HEADER + "```{code-cell}\nimport time; time.sleep(60)\n```\n", "71_long")
    status, said = run()
    assert status == 1
    assert "code cell 1 `import time; time.sleep(60)`: it had not ended after 1 seconds" in said


def test_one_faulty_chapter_does_not_hide_another(course):
    course(HEADER + STUB, "70_toy")
    course(HEADER + "```{code-cell}\nprint(1)\n```\n", "71_small")
    status, said = run()
    assert status == 1
    assert "70_toy.md: the code cell after the stub" in said and "solutions/71_small.ipynb: written" in said


def test_a_notebook_without_a_chapter_is_reported(course):
    path = course(HEADER, "71_empty")
    for stem in (path.stem, "99_old"):
        notebook = build.complete_chapter(path).notebook(solved=False)
        for folder in ("notebooks", "solutions"):
            (build.ROOT / folder).mkdir(exist_ok=True)
            nbformat.write(notebook, build.ROOT / folder / f"{stem}.ipynb")
    status, said = run(check=True)
    assert status == 1
    assert "notebooks/99_old.ipynb: no chapter makes it; delete it" in said.splitlines()
    assert said.count("unchanged") == 2


@pytest.mark.parametrize("name", ["70_toy", "70_toy.md", "70", "toy"])
def test_a_chapter_is_found_by_any_of_its_names(course, name):
    path = course(HEADER)
    course(HEADER, "71_toys")
    assert build.text_files([name]) == [path]


def test_an_unknown_chapter_is_reported_with_the_known_ones(course):
    course(HEADER)
    with pytest.raises(WrongUse, match=r"^there is no chapter 7; there are 70_toy\.$"):
        run(["7"])


# Relations of times: what this machine denies is not stored


def relation(quick):
    measured = Comparison((Candidate("slow", (3.0,)), Candidate("quick <b>", (quick,))))
    return measured.faster("quick <b>", times=2)


def shown(asked):
    """Outputs of the ways in which a cell can show a relation."""
    drawn = figures.show(lambda ax: ax.plot([1, 2]), "A line.", asked).alt
    result = {"text/plain": repr(asked), "text/html": asked._repr_html_()}
    return {
        "printed": stream(f"{asked}\n"),
        "in a sentence": stream(f"as you see, {asked}, at least here\n", "stderr"),
        "the result of a cell": nbformat.v4.new_output("execute_result", data=result),
        "beside a figure": figure(alt=drawn),
        "only in an image": nbformat.v4.new_output(
            "display_data", data={"image/png": "AAAA"}, metadata={"image/png": {"alt": drawn}}
        ),
        "only as HTML": nbformat.v4.new_output("display_data", data={"text/html": result["text/html"]}),
    }


def test_a_relation_that_does_not_hold_is_found_wherever_it_is_shown():
    no = "quick <b> is more than 2 times as fast as slow: ⟨NO: 1.2 times, measured once⟩"
    for way, output in shown(relation(2.5)).items():
        found = list(outputs.denied(book(code("1"), code("# look", [output]), code("3"))))
        assert [(count, cell.source) for count, cell, _ in found] == [(2, "# look")], way
        assert found[0][2].endswith(no), way
    assert list(outputs.denied(book(code("1", shown(relation(0.5)).values())))) == []
    assert list(outputs.denied(book(code("1", [stream("⟨NOT yet⟩ NO: ⟨no⟩")])))) == []


def test_a_notebook_is_not_written_while_a_relation_in_it_does_not_hold(course):
    cells = ("print('fine')", f"print('{relation(2.5)}')")
    path = course(HEADER + "".join(f"```{{code-cell}}\n{cell}\n```\n\n" for cell in cells), "71_slow")
    target = build.Target(build.complete_chapter(path), solved=True)
    target.path.parent.mkdir()
    nbformat.write(target.chapter.notebook(solved=True), target.path)
    before = stored_bytes()
    status, said = run([path])
    assert status == 1 and stored_bytes() == before and list(before) == [target.path]
    why = f"code cell 2 `{cells[1]}`: not so on this machine: {relation(2.5)}"
    assert sorted(said.splitlines()) == [
        f"{folder}/71_slow.ipynb: {why}" for folder in ("notebooks", "solutions")
    ]


# Surroundings of a kernel


def test_kernels_see_the_same_environment_whatever_the_user_has_set(course, monkeypatch, tmp_path):
    for name in ("NUMBA_BOUNDSCHECK", "NUMBA_NUM_THREADS", "PYTHONWARNINGS", "MPLBACKEND", "PYTHONHASHSEED"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("KEPT", "yes")
    seen = notebook_kernels.environment(tmp_path)
    assert seen["KEPT"] == "yes" and not {"PYTEST_CURRENT_TEST", "PYTHONWARNINGS"} & set(seen)
    numba = {name: value for name, value in seen.items() if name.startswith("NUMBA_") and "CPU" not in name}
    assert numba == {
        "NUMBA_NUM_THREADS": "2",
        "NUMBA_CACHE_DIR": str(tmp_path / "numba"),
        "NUMBA_COURSE_PROGRESS": "0",
    }
    assert (seen["PYTHONHASHSEED"], seen["IPYTHONDIR"]) == ("0", str(tmp_path / "ipython"))
    assert "matplotlib_inline" in seen["MPLBACKEND"]


def test_a_notebook_runs_in_its_own_folder_and_leaves_nothing_behind(course):
    text = textwrap.dedent("""
        import os, pathlib, sys
        folder = pathlib.Path(os.environ["NUMBA_CACHE_DIR"]).parent
        pathlib.Path("seen.txt").write_text(f"{folder}\\n{folder.is_dir()}\\n{sys.executable}")
    """)
    path = course(HEADER + f"```{{code-cell}}{text}```\n", "71_here")
    assert run([path])[0] == 0
    for folder in ("notebooks", "solutions"):
        private, existed, python = (build.ROOT / folder / "seen.txt").read_text().splitlines()
        assert (existed, python) == ("True", sys.executable)
        assert not os.path.exists(private)
