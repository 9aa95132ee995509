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
from numba_course.authoring import build
from numba_course.authoring import stored_outputs as outputs
from numba_course.authoring.chapter_text import exercises_checked, first_line, tags
from numba_course.authoring.stored_outputs import IMAGES, VOLATILE, code_cells
from numba_course.exercises import predictions
from numba_course.learner import notebook_files
from numba_course.learner.notebook_files import OUTCOME, PREDICTED
from tests.notebooks import clocks

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
        for name in exercises_checked(cell):
            word = f"{name}: correct" if solved else f"{name}: not attempted"
            shown = [text for output in cell.outputs for text in texts(output)]
            if not any(word in text for text in shown):
                yield f"{first_line(cell)}: does not store “{word}”"


def predictions_as_they_must_end(notebook, solved):
    """Nobody has said anything in the blank notebook, and in the solved one all came out as it was said."""
    for cell in code_cells(notebook):
        words = {
            name: ("you say" if solved else "no prediction yet") for name in PREDICTED.findall(cell.source)
        }
        words |= {
            name: ("you said" if solved else "you said nothing") for name in OUTCOME.findall(cell.source)
        }
        for name, word in words.items():
            shown = "\n".join(text for output in cell.outputs for text in texts(output))
            if f"{name}: {word}" not in shown:
                yield f"{first_line(cell)}: does not store “{name}: {word}”"
            if "not as you said" in shown.lower():
                yield f"{first_line(cell)}: stores that it came out otherwise than the answer says"


def nothing_denied(notebook, solved):
    for _, cell, sentence in outputs.denied(notebook):
        yield f"{first_line(cell)}: measured otherwise: {sentence}"


def told_in_one_way(notebook, solved):
    for words, values in outputs.contradictions(notebook).items():
        yield f"{words}: {', '.join(values)}"


def clocks_in_brackets(notebook, solved):
    """Whatever a clock said may be otherwise beside other work: it is in ⟨ ⟩, or a relation."""
    cells = code_cells(notebook)
    for cell, faults in zip(cells, clocks.faults(cell.source for cell in cells), strict=True):
        yield from (f"{first_line(cell)}: {fault}" for fault in faults)


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
    predictions_as_they_must_end,
    nothing_denied,
    told_in_one_way,
    clocks_in_brackets,
)


# The stored notebooks


def test_every_chapter_is_stored_blank_and_solved_and_nothing_else_is():
    stems = [path.stem for path in build.text_files()]
    assert stems, "there are no chapters"
    assert [(path.parent.name, path.stem) for path in NOTEBOOKS] == [
        *(("notebooks", stem) for stem in stems),
        *(("solutions", stem) for stem in stems),
    ]
    assert set(exercises.by_chapter()) <= set(stems), "exercises without a chapter"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_exercise_is_checked_in_its_chapter(path):
    """So nbval proves each solution correct: the solved notebook stores that it is, and is run and compared."""
    in_order = [name for cell in code_cells(stored(path)) for name in exercises_checked(cell)]
    assert in_order == [exercise.name for exercise in exercises.by_chapter().get(path.stem, ())]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_prediction_is_asked_once_and_compared_once_below(path):
    sources = [cell.source for cell in code_cells(stored(path))]
    asked = {name: n for n, source in enumerate(sources) for name in PREDICTED.findall(source)}
    compared = {name: n for n, source in enumerate(sources) for name in OUTCOME.findall(source)}
    assert sum(len(PREDICTED.findall(source) + OUTCOME.findall(source)) for source in sources) == 2 * len(
        asked
    )
    assert tuple(asked) == predictions.NAMES.get(path.stem, ())
    assert all(asked[name] < compared[name] for name in asked)


def test_the_notebooks_say_what_they_ask():
    found = notebook_files.predictions({p.stem: stored(p) for p in NOTEBOOKS if not is_solved(p)})
    assert {stem: tuple(asked) for stem, asked in found.items() if asked} == predictions.NAMES


@pytest.mark.parametrize("path", build.text_files(), ids=lambda path: path.stem)
def test_stored_cells_are_those_of_the_text(path):
    chapter = build.complete_chapter(path)
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


# A cell that reads clocks, and what must not follow it.
CLOCKS = """
import time, timeit, cProfile
from time import perf_counter as now
from numba_course import lens
from numba_course.lens import figures
measured = lens.compare({"one": one, "two": two}, values)
sweep = lens.compare({"one": one, "two": two}, sizes={10: (values,)})
relation = measured.faster("two")
start = now()
took = {"one": time.perf_counter() - start, "two": 1.0}
def is_fast(limit):
    return measured.ratio("two") < limit
def say(what, holds):
    print(what, holds)
def dots(ax):
    ax.plot([entry.seconds for entry in measured.entries])
def judged(ax):
    ax.plot([entry.seconds for entry in relation.measured.entries])
"""
SAID_BY_A_CLOCK = [
    "print('faster:', measured.ratio('two') < 0.5)",
    "holds = measured.ratio('two') < 0.5\nprint(f'faster: {holds}')",
    "print('faster:', is_fast(0.5))",
    "say('faster:', is_fast(0.5))",
    "say(what='faster:', holds=took['one'] < 1)",
    "print('best:', min(took, key=took.get))",
    "print('in order:', *sorted(took, key=lambda name: took[name]))",
    "print('best:', min((entry for entry in measured.entries), key=lambda e: min(e.seconds)).name)",
    "if is_fast(0.5):\n    print('it is faster')",
    "word = 'faster' if is_fast(0.5) else 'slower'\nprint(word)",
    "word = 'slower'\nif is_fast(0.5):\n    word = 'faster'\nprint(word)",
    "print('holds:', bool(relation))",
    "print('holds:', relation.holds)",
    "print('both:', relation and sweep.faster('two', at=10))",
    "if not relation:\n    print('no')",
    "print('yes' if all([relation]) else 'no')",
    "print([n for n in (10, 100) if sweep.at(n).ratio('two') < 0.9])",
    "print(len([entry for entry in measured.entries if entry.seconds[0] > 1]), 'are slow')",
    "for name in took:\n    if took[name] > 1:\n        break\nprint(name)",
    "def first_slow():\n    for name, seconds in took.items():\n        if seconds > 1:\n            return name\n"
    "print(first_slow())",
    "tries = 0\nwhile now() - start < 1:\n    tries += 1\nprint(tries, 'tries')",
    "def tell(limit):\n    if now() > limit:\n        return\n    print('in time')\ntell(3)",
    "best = {}\nfor name in took:\n    best[name] = min(9.0, now() - start)\nprint(best['one'] < best['two'])",
    "times = []\ntimes.append(now())\nprint(times[0] > 0)",
    "slow = []\nif is_fast(2):\n    slow.append('one')\nprint(slow)",
    "names, (first, *later) = list(took), [now(), now(), now()]\nprint(later[0] > first)",
    "print(timeit.timeit(lambda: 1) < 1)",
    "runs, seconds = timeit.Timer(lambda: 1).autorange()\nprint(runs)",
    "print(time.monotonic_ns() % 2, time.strftime('%H'))",
    "print('%d ms of ⟨%d⟩' % (now(), now()))",
    "print('{} ms of ⟨{}⟩'.format(now(), now()))",
    "print('⟨' + str(start) + '⟩ of ' + str(start))",
    "print('took', start, 'of ⟨', start, '⟩')",
    "print(f'{1:{start}}')",
    "print(measured.entries)",
    "print(measured.compile_seconds('two') > 1)",
    "print(measured.faster('two').measured.seconds('two') > 1)",
    "print(any(entry.too_short for entry in measured.entries), measured.warnings)",
    "class Watch:\n    def read(self):\n        return now()\nprint(Watch().read() > 0)",
    "print(dict(zip(took, map(lambda name: took[name] > 1, took)))['one'])",
    "print(*{name: seconds > 1 for name, seconds in took.items()}.values())",
    "name, seconds = max(took.items(), key=lambda pair: pair[1])\nprint(name)",
    "moments = lens.gil(one).calls\nprint(moments[0][1] > 1)",
    "profile = cProfile.Profile()\nprint(max(profile.getstats(), key=lambda e: e.inlinetime).code.co_name)",
    "cProfile.Profile().print_stats()",
    "measured.ratio('two')",
    "from numba_course import predict\npredict.equal.outcome(measured.ratio('two') < 1)",
    "from numba_course import predict\npredict.which.outcome('two' if is_fast(1) else 'one')",
    "from numba_course import predict\nsaid = relation.holds\npredict.equal.outcome(said)",
    "took['one'] < 1",
    "import sys\nif is_fast(1):\n    sys.stdout.write('fast')",
    "assert is_fast(0.5), 'too slow'",
    "if now() > 1:\n    raise RuntimeError('too slow')",
    "print(measured.faster('two', times=measured.ratio('two')))",
    "def measure():\n    print(now())\n    return {'one': now()}\nlens.timed(measure)",
    "figures.show(dots, 'Two dots.')",
    "figures.show(lambda ax: ax.bar([1], [took['one']]), 'A bar.')",
    "figures.show(judged, f'Two dots, {is_fast(1)}.', relation)",
    "figures.show(dots, 'Two dots.', relation)",  # not those that the relation has judged
    "times = [now()]\ndef draw(ax):\n    for t in times:\n        ax.text(1, 1, f'{t} s')\n"
    "figures.show(draw, 'A text.')",
    "measured.figure()",
    "measured.figure(relation)",
    "sweep.at(10).figure()",
    "relation.measured.figure()",
    "import matplotlib.pyplot as plt\nplt.plot([took['one']])",
]
NOT_SAID_BY_A_CLOCK = [
    "print(relation, sweep.faster('two', at=10))",
    "for each in [relation]:\n    print('as asked:', each)",
    "relation",
    "measured",
    "print(f'⟨{measured.ratio(\"two\"):.2f}⟩ times as long', '⟨', start, '⟩')",
    "def text(function):\n    return f'⟨{timeit.timeit(function):8.2f} s⟩'\nprint('took', text(one), text(two))",
    "for name, seconds in took.items():\n    print(f'{name:9} ⟨{1e3 * seconds:.1f} ms⟩')",
    "for entry in measured.entries:\n    print(f'{entry.name}: ⟨{min(entry.seconds)}⟩', entry.difference)",
    "print('equal:', not any(entry.difference for entry in measured.entries), len(measured.entries), len(took))",
    "for i, (name, seconds) in enumerate(sorted(took.items())[:1]):\n    print(i, f'⟨{seconds}⟩')",
    "print(', '.join(f'{name} ⟨{seconds}⟩' for name, seconds in took.items()))",
    "print('⟨%d⟩ of ⟨{}⟩'.format(start), '⟨%d⟩ ms' % start)",
    "print(f\"⟨{'fast' if is_fast(1) else 'slow'}⟩\", 'one' in took)",
    "results, times = [], []\nfor f in (one, two):\n    results.append(f())\n    times.append(now())\nprint(results)",
    "start = 1\nprint(start)",
    "print('same text of a file:', open('perf_counter').read(), time.sleep(0))",
    "from numba_course import exercises\nexercises.timing.check(lambda f: now() - f())",
    "print('switch:', lens.gil(one).released)\nlens.gil(one).figure()",
    "print(sum(callcount for callcount in range(3)), [e.callcount for e in cProfile.Profile().getstats()])",
    "figures.show(lambda ax: ax.plot([1, 2]), 'A line.')",
    "figures.show(judged, f'Two dots of ⟨{relation.measured.seconds(\"two\")}⟩.', relation)",
    "both = [relation, relation]\nrelation.measured.figure(*both)",
    "relation = relation.faster('one', times=0, at_most=1)\nfigures.show(judged, 'Two dots.', relation)",
    "timed = lens.timed(lambda: {'one': now(), 'two': now()}).faster('two')\nprint(timed)\n"
    "figures.show(lambda ax: ax.plot(timed.measured.entry('one').seconds), 'A dot.', timed)",
    "quick, said = is_fast(1), 'nothing'\nprint(said)",
    "from numba_course import predict\npredict.speedup.outcome(measured.ratio('two'))",
    "from numba_course import predict\npredict.speedup.outcome(took['one'] / took['two'])",
    "from numba_course import predict\npredict.speedup(20)\npredict.count.outcome(len(took))",
]


def after_clocks(text):
    def change(cells):
        cells[0].source, cells[1].source = CLOCKS, text

    return change


def showing(text):
    return lambda cells: cells[2].outputs[0].data.update({"text/plain": f"Figure: a line. {text}"})


def predicted(text):
    """A change: a cell with an outcome prints this."""

    def change(cells):
        source_of(1, "predict.speedup.outcome(3.0)")(cells)
        printing(text)(cells)

    return change


TOLD_AGAIN = (
    "As measured: one is quick: ⟨yes: 5 times⟩; two is more than 1.5 times as fast as one: ⟨yes: {} times⟩."
)


def telling(text, times):
    """A change: this is printed, and a figure tells a relation of so many times."""

    def change(cells):
        printing(text)(cells)
        showing(TOLD_AGAIN.format(times))(cells)

    return change


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
    predictions_as_they_must_end: [
        source_of(1, "predict.speedup(...)"),
        source_of(1, "predict.speedup.outcome(3.0)"),
        predicted("speedup: you said 20, it is ⟨3⟩\n\n⟨Nearest of the choices: 2, not as you said⟩."),
    ],
    nothing_denied: [
        printing("two is faster than one: ⟨NO: 0.9 times, measured 3 times⟩"),
        showing("two is faster than one: ⟨NO: 0.9 times, measured 3 times⟩."),
    ],
    told_in_one_way: [
        telling("two is more than 1.5 times as fast as one: ⟨yes: 3 times⟩\n", "2"),
        telling(
            "one is more than 1 times as fast as two: ⟨yes: 9 times⟩\ntwo is more than 1.5 times as fast as one: "
            "⟨yes: 3 times⟩",
            "4",
        ),
        printing(
            "(int64): ⟨hit⟩, key ⟨znver4, code 7d169515, fits⟩\n(int64): ⟨hit⟩, key ⟨haswell, code 7d16, fits⟩"
        ),
    ],
    clocks_in_brackets: list(map(after_clocks, SAID_BY_A_CLOCK)),
}


def test_a_good_notebook_keeps_every_rule():
    assert [fault for rule in RULES for fault in rule(example(), False)] == []
    solved = example()
    solved.cells[3].outputs[0].data["text/plain"] = "✓ double: correct"
    assert list(checks_as_they_must_end(solved, True)) == []


@pytest.mark.parametrize("number", range(len(NOT_SAID_BY_A_CLOCK)))
def test_a_cell_may_show_what_no_clock_said_and_the_rest_in_brackets(number):
    good = example()
    after_clocks(NOT_SAID_BY_A_CLOCK[number])(good.cells)
    assert list(clocks_in_brackets(good, False)) == []


def test_one_sentence_may_be_told_twice_with_one_number_and_others_with_theirs():
    good = example()
    telling("two is more than 1.5 times as fast as one: ⟨yes: 3 times⟩\ntwo is quick: ⟨yes: 4 times⟩", "3")(
        good.cells
    )
    assert list(told_in_one_way(good, False)) == []


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
