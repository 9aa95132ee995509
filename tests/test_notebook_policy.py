"""The stored notebooks: made from their chapters, executed, really compared, without traces of a machine.

nbval compares nothing in a cell without a count or with the wrong tag. So each rule here is a function that
lists the faults of a notebook, and each is tried on a notebook that breaks it.
"""

import copy
import functools
import re

import nbformat
import pytest

from numba_course import exercises
from numba_course.workbook import build
from numba_course.workbook.outputs import IMAGES, VOLATILE, code_cells
from numba_course.workbook.source import checked, first_line, tags

COMPARED = 0.7  # share of the code cells whose outputs nbval compares; no output is a fact as well
WITH_OUTPUT = 0.4  # share of the code cells that are compared and show something outside ⟨ ⟩
LONGEST_CELL = 25  # lines
LONGEST_BRACKET = 80  # characters inside ⟨ ⟩
LARGEST = 1_000_000  # bytes of a notebook
NOTEBOOKS = build.stored_notebooks()
TRACES = {
    "absolute path": r"""(?:^|[\s"'(=,:⟨])(?:/[\w.~+-]+/[\w.~+-]|[A-Z]:\\\w)""",
    "installed package": r"site-packages|dist-packages",
    "process id": r"ipykernel_\d|\bpid\W{0,3}\d",
    "address": r"\bat 0x[0-9a-fA-F]+|\b0x[0-9a-fA-F]{7,14}\b",  # constants in LLVM IR have 16 digits
    "date": r"\b20\d\d-[01]\d-[0-3]\d",
}
UNCOMPARABLE = r"clear_output|update_display|display_id|ipywidgets|%%?time|tqdm"


def is_solved(path):
    return path.parent.name == "solutions"


@functools.cache
def stored(path):
    return nbformat.read(path, as_version=4)


def texts(output):
    """All texts of an output but images."""
    data = {kind: text for kind, text in output.get("data", {}).items() if kind not in IMAGES}
    return [str(text) for text in [output.get("text", ""), *data.values()]]


def is_compared(cell):
    return cell.execution_count is not None and "nbval-ignore-output" not in tags(cell)


def says_something(cell):
    """Whether a text of the cell's output is compared."""
    shown = [text for output in cell.outputs for text in texts(output)]
    return any(re.search(r"\w", re.sub(VOLATILE[0][0], "", text)) for text in shown)


# Rules: functions of a notebook and whether it is the solved one, that give its faults


def counted(notebook, solved):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are not 1 to n: {counts}"


def only_plain_outputs(notebook, solved):
    for cell in code_cells(notebook):
        if found := re.search(UNCOMPARABLE, cell.source):
            yield f"{first_line(cell)}: nbval cannot compare {found[0]}"
        for output in cell.outputs:
            if output.output_type not in ("stream", "display_data", "execute_result"):
                yield f"{first_line(cell)}: stores an output of type {output.output_type}"
            if any("widget" in kind or "javascript" in kind for kind in output.get("data", {})):
                yield f"{first_line(cell)}: stores a widget or a script"


def ignored_only_with_a_reason(notebook, solved):
    for cell in code_cells(notebook):
        if found := re.search(r"^\s*#\s*(NBVAL|PYTEST_VALIDATE)\w*", cell.source, re.MULTILINE):
            yield f"{first_line(cell)}: {found[0]} must be a tag with a reason"
        for tag in tags(cell):
            if tag in ("nbval-skip", "raises-exception", "nbval-raises-exception"):
                yield f"{first_line(cell)}: tagged {tag}"
        if "nbval-ignore-output" in tags(cell):
            if not any(tag.startswith("why-") and len(tag) > 4 for tag in tags(cell)):
                yield f"{first_line(cell)}: ignored without a tag why-..."
            if ".check(" in cell.source:
                yield f"{first_line(cell)}: a check must not be ignored"


def nothing_of_this_machine(notebook, solved):
    for cell in code_cells(notebook):
        for text in (text for output in cell.outputs for text in texts(output)):
            for what, pattern in TRACES.items():
                if found := re.search(pattern, text, re.MULTILINE):
                    yield f"{first_line(cell)}: {what} in an output: {found[0].strip()}"


def brackets_are_short(notebook, solved):
    for cell in code_cells(notebook):
        for text in (text for output in cell.outputs for text in texts(output)):
            rest = re.sub(VOLATILE[0][0], "", text)
            if "⟨" in rest or "⟩" in rest:
                yield f"{first_line(cell)}: ⟨ ⟩ do not match within a line"
            for inside in re.findall(VOLATILE[0][0], text):
                if len(inside) > LONGEST_BRACKET + 2:
                    yield f"{first_line(cell)}: too much in ⟨ ⟩ to be left uncompared: {inside}"


def mostly_compared(notebook, solved):
    cells = code_cells(notebook)
    compared = [cell for cell in cells if is_compared(cell)]
    speaking = [cell for cell in compared if says_something(cell)]
    if len(compared) < COMPARED * len(cells):
        yield f"only {len(compared)} of {len(cells)} code cells are compared"
    if len(speaking) < WITH_OUTPUT * len(cells):
        yield f"only {len(speaking)} of {len(cells)} code cells show something that is compared"


def images_in_words(notebook, solved):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            for kind in set(output.get("data", {})) & {*IMAGES, "image/svg+xml"}:
                if not output.metadata.get(kind, {}).get("alt", "").strip():
                    yield f"{first_line(cell)}: an image without alternative text"
                twin = output.data.get("text/plain", "<Figure")
                if twin.startswith("<"):
                    yield f"{first_line(cell)}: an image without a text/plain that says what it shows"


def short_cells(notebook, solved):
    for cell in code_cells(notebook):
        if len(cell.source.splitlines()) > LONGEST_CELL:
            yield f"{first_line(cell)}: {len(cell.source.splitlines())} lines; at most {LONGEST_CELL}"


def checks_as_they_must_end(notebook, solved):
    for cell in code_cells(notebook):
        for name in checked(cell):
            word = f"{name}: correct" if solved else f"{name}: not attempted"
            shown = [text for output in cell.outputs for text in texts(output)]
            if not any(word in text for text in shown):
                yield f"{first_line(cell)}: does not store “{word}”"


RULES = (
    counted,
    only_plain_outputs,
    ignored_only_with_a_reason,
    nothing_of_this_machine,
    brackets_are_short,
    mostly_compared,
    images_in_words,
    short_cells,
    checks_as_they_must_end,
)


# The stored notebooks


def test_every_chapter_is_stored_blank_and_solved_and_nothing_else_is():
    stems = [path.stem for path in build.find()]
    assert stems, "there are no chapters"
    assert [(path.parent.name, path.stem) for path in NOTEBOOKS] == [
        *(("notebooks", stem) for stem in stems),
        *(("solutions", stem) for stem in stems),
    ]
    assert set(exercises.by_chapter()) <= set(stems), "exercises without a chapter"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_exercise_is_checked_in_its_chapter(path):
    """So nbval proves each solution correct: the solved notebook stores that it is, and is run and compared."""
    in_order = [name for cell in code_cells(stored(path)) for name in checked(cell)]
    assert in_order == [exercise.name for exercise in exercises.by_chapter().get(path.stem, ())]


@pytest.mark.parametrize("path", build.find(), ids=lambda path: path.stem)
def test_stored_cells_are_those_of_the_text(path):
    chapter = build.read_chapter(path)
    for solved in (False, True):
        difference = build.stale(build.Target(chapter, solved))
        assert not difference, "\n".join(["run: python -m numba_course build", *difference])


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_stored_notebook_keeps_the_rule(path, rule):
    assert list(rule(stored(path), is_solved(path))) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_stored_notebook_is_small(path):
    assert path.stat().st_size < LARGEST


# The rules themselves


def example():
    """A notebook that keeps every rule."""
    figure = nbformat.v4.new_output(
        "display_data",
        data={"image/png": "AAAA", "text/plain": "Figure: a line of ⟨3 ms⟩"},
        metadata={"image/png": {"alt": "a line"}},
    )
    card = nbformat.v4.new_output(
        "display_data", data={"text/plain": "○ double: not attempted yet", "text/html": "<b>○</b> double</b>"}
    )
    ignored = {"tags": ["nbval-ignore-output", "why-machine"]}
    cells = [
        ("import numba_course", [], {}),
        (
            "print(total)",
            [nbformat.v4.new_output("stream", text="6 in ⟨2 ms⟩, 0x7FF8000000000000, </td>\n")],
            {},
        ),
        ("draw()", [figure], {}),
        ("exercises.double.check(double)", [card], {}),
        ("cores()", [nbformat.v4.new_output("stream", text="2 cores")], ignored),
    ]
    made = [nbformat.v4.new_code_cell(source, outputs=outputs, metadata=m) for source, outputs, m in cells]
    for count, cell in enumerate(made, 1):
        cell.execution_count = count
    return nbformat.v4.new_notebook(cells=made)


def printing(text):
    """A change: the second cell prints this."""
    return lambda cells: cells[1].outputs[0].update(text=text)


def tagged(index, *tags):
    return lambda cells: cells[index].metadata.update(tags=list(tags))


def source_of(index, text):
    return lambda cells: cells[index].update(source=text)


def stripped(cells):
    for cell in cells:
        cell.outputs = []


def uncounted(cells):
    for cell in cells[:2]:
        cell.execution_count = None


def only_volatile(cells):
    printing("⟨3 ms⟩\n")(cells)
    cells[3].outputs[0].data = {"text/plain": "⟨3 ms⟩"}


BROKEN = {
    counted: [
        lambda cells: cells[2].update(execution_count=None),
        lambda cells: cells[4].update(execution_count=6),
        lambda cells: cells.reverse(),
    ],
    only_plain_outputs: [
        source_of(0, "from IPython.display import clear_output"),
        source_of(0, "%timeit f(x)"),
        lambda cells: cells[1].outputs[0].update(output_type="error"),
        lambda cells: cells[3].outputs[0].data.update({"application/vnd.jupyter.widget-view+json": {}}),
    ],
    ignored_only_with_a_reason: [
        tagged(4, "nbval-ignore-output"),
        tagged(4, "nbval-ignore-output", "why-"),
        tagged(3, "nbval-ignore-output", "why-machine"),
        tagged(1, "nbval-skip"),
        tagged(1, "raises-exception"),
        source_of(1, "# NBVAL_IGNORE_OUTPUT\nprint(1)"),
    ],
    nothing_of_this_machine: [
        printing("in /home/me/x.py"),
        printing('File "/tmp/x.py", line 3'),
        printing("⟨/usr/lib/x⟩"),
        printing(r"C:\Users"),
        printing("a/lib/python3/site-packages/numba"),
        printing("pid=4711"),
        printing("ipykernel_12/3.py"),
        printing("<function f at 0x7f3a5c2b1d30>"),
        printing("0x7f3a5c2b1d30"),
        printing("on 2026-08-21"),
        lambda cells: cells[3].outputs[0].data.update({"text/html": "<b>at 0x12ab</b>"}),
    ],
    brackets_are_short: [
        printing("⟨never closed"),
        printing("⟨two\nlines⟩"),
        printing("6 in 3 ms⟩"),
        printing(f"⟨{'x' * 81}⟩"),
    ],
    mostly_compared: [
        stripped,
        uncounted,
        only_volatile,
        tagged(1, "nbval-ignore-output", "why-machine"),
    ],
    images_in_words: [
        lambda cells: cells[2].outputs[0].metadata.clear(),
        lambda cells: cells[2].outputs[0].metadata.update({"image/png": {"alt": " "}}),
        lambda cells: cells[2].outputs[0].data.pop("text/plain"),
        lambda cells: cells[2].outputs[0].data.update({"text/plain": "<Figure size 640x480>"}),
    ],
    short_cells: [source_of(0, "x = 1\n" * 26)],
    checks_as_they_must_end: [
        lambda cells: cells[3].update(outputs=[]),
        lambda cells: cells[3].outputs[0].data.update({"text/plain": "✓ double: correct"}),
        source_of(3, "exercises.treble.check(treble)"),
    ],
}


def test_a_good_notebook_keeps_every_rule():
    assert [fault for rule in RULES for fault in rule(example(), False)] == []
    solved = example()
    solved.cells[3].outputs[0].data["text/plain"] = "✓ double: correct"
    assert list(checks_as_they_must_end(solved, True)) == []


def test_a_solved_notebook_must_not_store_the_blank_one_s_verdict():
    assert list(checks_as_they_must_end(example(), True))


@pytest.mark.parametrize(
    ("rule", "number"),
    [(rule, i) for rule in RULES for i in range(len(BROKEN[rule]))],
    ids=lambda v: getattr(v, "__name__", v),
)
def test_each_rule_finds_what_it_forbids(rule, number):
    broken = copy.deepcopy(example())
    BROKEN[rule][number](broken.cells)
    assert list(rule(broken, False)) != []
