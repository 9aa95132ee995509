"""Chapters as people edit them: MyST text in, notebooks without outputs out, blank or solved.

A chapter is ``notebooks/source/NN_topic.md``::

    ---
    numba_course:
      title: Share a loop among threads
      minutes_teach: 40
      minutes_exercise: 30
      claims:
        D9: ["wrong", "Do not share out fewer than 1,000 iterations.", "The work of the whole loop decides."]
    ---

    Prose. A new text cell begins at `+++`, which may carry tags:

    +++ {"tags": ["instructor-note"]}

    Only in this file: dropped from both notebooks. It ends at the next `+++` or code cell.

    ```{code-cell}
    :tags: [exercise]
    @njit
    def double(values):
        ...
    ```

    ```{code-cell}
    exercises.double.check(double)
    ```

A cell tagged ``prediction`` asks, as in ``predict.speedup(...)``, before the chapter shows; a later one has what came
out, as in ``predict.speedup.outcome(ratio)``. In the solved notebook the answer stands in place of the ``...``.

A cell tagged ``exercise`` is the stub of the exercise that its last function or class is named after, and the
next code cell checks it. In the solved notebook the source of the exercise's solution stands in its place.

`claims` are sentences that usual tutorials say: by an id, a verdict, the sentence, and the right one. Each is
proven by a code cell tagged with ``claim-`` and its id.
"""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jupytext
import nbformat
import yaml
from jupytext.myst import MystMetadataParsingError

from numba_course.host import WrongUse, no_such
from numba_course.learner.notebook_files import CHECK, OUTCOME, PREDICTED
from numba_course.syntax import parse

if TYPE_CHECKING:
    from numba_course.exercises.predictions import Prediction
    from numba_course.exercises.question import Exercise

METADATA = {"title": str, "minutes_teach": int, "minutes_exercise": int, "claims": dict}
VERDICTS = ("true", "true with a caveat", "outdated", "wrong")
REFUSED_TAGS = ("raises-exception", "nbval-skip")  # neither fails when the cell stops doing what it shows
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "pygments_lexer": "ipython3",
    },
}
NOTE = "instructor-note"
_UNREAD_CELL = re.compile(r"^\s*(```+|~~~+)\s*\{code-cell\}", re.MULTILINE)


class ChapterError(Exception):
    """A chapter that cannot be built. The message names the chapter, the place and what is wrong."""


@dataclass(frozen=True)
class Chapter:
    """A chapter read from its text.

    Attributes
    ----------
    path : Path
        The text file.
    metadata : dict
        `METADATA` from the front matter, and ``predictions`` where there are any: name, question and choices
        of each. Kept in the notebooks under ``numba_course``.
    cells : tuple of NotebookNode
        Without the notes for instructors.
    solutions : dict
        From the index of each cell that the learner fills in to its source text in the solved notebook.
    """

    path: Path
    metadata: dict
    cells: tuple[nbformat.NotebookNode, ...]
    solutions: dict[int, str]

    def notebook(self, solved: bool) -> nbformat.NotebookNode:
        """A fresh notebook without outputs; the same text gives the same bytes."""
        cells = [copy.deepcopy(cell) for cell in self.cells]
        if solved:
            for index, source in self.solutions.items():
                cells[index].source = source
        metadata = {**NOTEBOOK_METADATA, "numba_course": self.metadata}
        return nbformat.v4.new_notebook(cells=cells, metadata=nbformat.from_dict(copy.deepcopy(metadata)))


def read_chapter(
    path: Path, exercises: Iterable[Exercise], predictions: Iterable[Prediction] = ()
) -> Chapter:
    """Read a chapter and match its stubs with its exercises, and its prediction cells with its predictions.

    Parameters
    ----------
    path : Path
        The text file.
    exercises : iterable of Exercise
        Those of this chapter, of which it needs ``name`` and ``solution_source``.
    predictions : iterable of Prediction, optional
        Those of this chapter.

    Raises
    ------
    ChapterError
        If the text is not a chapter, or stubs, check cells and exercises do not match one to one, or prediction cells,
        outcome cells and predictions do not.
    """
    try:
        parsed = parse_text(path)
        metadata = _metadata(parsed.metadata)
        for cell in parsed.cells:
            _refuse(cell)
        cells = [cell for cell in parsed.cells if not _is_note(cell)]
        for index, cell in enumerate(cells):
            cell.id = f"{path.stem}-{index:03d}"
        _refuse_unproven(metadata["claims"], cells)
        solutions = _solutions(cells, {exercise.name: exercise for exercise in exercises})
        asked = {prediction.name: prediction for prediction in predictions}
        solutions |= _predicted(cells, asked)
        if asked:
            metadata["predictions"] = [_question(prediction) for prediction in asked.values()]
        return Chapter(path, metadata, tuple(cells), solutions)
    except (ChapterError, MystMetadataParsingError, nbformat.ValidationError, yaml.YAMLError) as error:
        raise ChapterError(f"{path.name}: {error}") from None


def texts(folder: Path) -> list[Path]:
    """Paths of all chapters' texts in a folder, in the order of the course."""
    return sorted(folder.glob("[0-9][0-9]_*.md"))


def named(name: str | Path, paths: Sequence[Path]) -> Path:
    """The text that is meant: chapter 7 by ``07_prange.md``, ``07_prange``, ``prange``, ``07`` or ``7``.

    Raises
    ------
    WrongUse
        If none is; the message names the nearest.
    """
    for path in paths:
        number, _, topic = path.stem.partition("_")
        if str(name) in (path.name, path.stem, topic, number, number.removeprefix("0")):
            return path
    raise WrongUse(no_such("chapter", name, [path.stem for path in paths]))


def parse_text(path: Path) -> nbformat.NotebookNode:
    """All cells of a text and its front matter, as jupytext reads them."""
    return jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """The tags of a cell."""
    return cell.metadata.get("tags", [])


def exercises_checked(cell: nbformat.NotebookNode) -> list[str]:
    """Names of the exercises whose answer this cell checks under the exercise's own name."""
    return CHECK.findall(cell.source) if cell.cell_type == "code" else []


def first_line(cell: nbformat.NotebookNode) -> str:
    """How an error message quotes a cell."""
    return f"`{cell.source.strip().partition(chr(10))[0]}`"


def _is_note(cell):
    return cell.cell_type == "markdown" and NOTE in tags(cell)


def _refuse(cell):
    """Raise for a cell that would end up as something else than its author meant."""
    for tag in REFUSED_TAGS:
        if tag in tags(cell):
            raise ChapterError(f"cell {first_line(cell)} must not be tagged {tag}")
    if _is_note(cell):
        if found := re.search(r"^#.*", cell.source, re.MULTILINE):
            raise ChapterError(f"`{found[0]}` stands in an instructor-note, which ends at the next +++")
    elif NOTE in tags(cell):
        raise ChapterError(f"{first_line(cell)} is tagged instructor-note, but is not a text cell")
    if cell.cell_type == "markdown" and _UNREAD_CELL.search(cell.source):
        raise ChapterError(f"a code-cell is indented or not closed in the text cell {first_line(cell)}")


def _metadata(front_matter):
    """The chapter's metadata, complete and of the right types."""
    given = front_matter.get("numba_course")
    if not isinstance(given, dict) or set(given) != set(METADATA):
        raise ChapterError(f"the front matter must give numba_course: {', '.join(METADATA)}; not {given}")
    for key, kind in METADATA.items():
        if not isinstance(given[key], kind):
            raise ChapterError(f"{key} must be of type {kind.__name__}, not {given[key]!r}")
    for name, claim in given["claims"].items():
        texts = claim if isinstance(claim, list) else []
        if len(texts) != 3 or not all(isinstance(text, str) for text in texts) or texts[0] not in VERDICTS:
            raise ChapterError(f"claim {name} must be [verdict, sentence, right sentence], not {claim!r}")
    return {key: given[key] for key in METADATA}


def _refuse_unproven(claims, cells):
    """Raise if claims and the cells that prove them do not match."""
    proofs = {
        tag for cell in cells if cell.cell_type == "code" for tag in tags(cell) if tag.startswith("claim-")
    }
    claimed = {f"claim-{name}" for name in claims}
    if unproven := sorted(claimed - proofs):
        raise ChapterError(f"no code cell is tagged {', '.join(unproven)}")
    if unknown := sorted(proofs - claimed):
        raise ChapterError(f"the front matter has no claim for {', '.join(unknown)}")


def _solutions(cells, exercises):
    """From the index of each stub to the text of its solution."""
    code = [index for index, cell in enumerate(cells) if cell.cell_type == "code"]
    found, solutions = set(), {}
    for index, following in itertools.pairwise([*code, None]):
        if "exercise" not in tags(cells[index]):
            continue
        name = _stub_name(cells[index])
        if name in found:
            raise ChapterError(f"exercise {name} has two stub cells")
        if name not in exercises:
            known = ", ".join(exercises) or "none"
            raise ChapterError(f"the chapter has no exercise {name} for this stub; it has: {known}")
        if following is None or name not in exercises_checked(cells[following]):
            raise ChapterError(f"the code cell after the stub of {name} must check it")
        found.add(name)
        solutions[index] = exercises[name].solution_source
    for name in (name for name in exercises if name not in found):
        raise ChapterError(f"exercise {name} has no stub cell (tagged exercise)")
    return solutions


def _question(prediction):
    """What of a prediction is kept in the notebook, for those who only read that."""
    choices = [str(choice) for choice in prediction.choices]
    return {"name": prediction.name, "question": prediction.question, "choices": choices}


def _predicted(cells, predictions):
    """From the index of each prediction cell to its text with the answer."""
    asked, compared, answers = {}, {}, {}
    for index, cell in enumerate(cells):
        if cell.cell_type != "code":
            continue
        found = PREDICTED.findall(cell.source)
        if found and "prediction" not in tags(cell):
            raise ChapterError(f"cell {first_line(cell)} predicts, but is not tagged prediction")
        if "prediction" in tags(cell):
            name = _asked_in(cell, found)
            _note(asked, name, index, predictions, "prediction cells")
            answers[index] = cell.source.replace(f"{name}(...)", f"{name}({predictions[name].answer_source})")
        for name in OUTCOME.findall(cell.source):
            _note(compared, name, index, predictions, "outcome cells")
    for name in predictions:
        if name not in asked:
            raise ChapterError(f"prediction {name} has no cell that asks it (tagged prediction)")
        if compared.get(name, -1) <= asked[name]:
            raise ChapterError(f"a code cell below that of prediction {name} must say its outcome")
    return answers


def _asked_in(cell, found):
    """The name of the one prediction that a cell tagged prediction leaves to the learner."""
    if len(found) != 1 or f"predict.{found[0]}(...)" not in cell.source:
        raise ChapterError(
            f"the prediction cell {first_line(cell)} must ask one prediction, as in predict.name(...)"
        )
    return found[0]


def _note(places, name, index, predictions, what):
    """Note where a prediction is asked or compared; that may be in one place only."""
    if name not in predictions:
        known = ", ".join(predictions) or "none"
        raise ChapterError(f"the chapter has no prediction {name}; it has: {known}")
    if name in places:
        raise ChapterError(f"prediction {name} has two {what}")
    places[name] = index


def _stub_name(cell):
    """Name of the last function or class that a stub cell defines."""
    try:
        statements = parse(cell.source).body
    except SyntaxError as error:
        raise ChapterError(f"the stub {first_line(cell)} is not Python: {error.msg}") from None
    names = [s.name for s in statements if isinstance(s, ast.FunctionDef | ast.ClassDef)]
    if not names:
        raise ChapterError(f"the stub {first_line(cell)} defines no function")
    return names[-1]
