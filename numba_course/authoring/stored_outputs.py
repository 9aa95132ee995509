"""What is stored of a cell's outputs, and when the stored ones stay, so that a rebuild changes no byte."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from html import unescape

import nbformat

from numba_course.authoring.chapter_text import tags

# The only texts that are not compared, here and by nbval: what stands inside ⟨ ⟩, and the temporary file that
# ipykernel says a cell is. Pairs of a pattern and its replacement.
CELL_FILE = (r"(?:[A-Za-z]:)?(?:[\w.~+\-]*[/\\])*ipykernel_\d+[/\\]\d+\.py", "cell.py")
VOLATILE = ((r"⟨[^⟨⟩\n]*⟩", "⟨⟩"), CELL_FILE)
IMAGES = ("image/png", "image/jpeg")  # nbval does not compare them
RELATION = r"([^⟨⟩\n]*): ⟨((?:yes|NO): [\d.]+ times)"  # the words before it, and the answer
OF_THE_MACHINE = {"the processor": r"key ⟨([^,⟩]+), code"}  # what every cell of a notebook must tell alike
DENIED = r"[^⟨⟩\n]*⟨NO\b[^⟨⟩\n]*⟩"  # a relation of `lens` that does not hold: its sentence, its answer


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def same_text(text: str) -> str:
    """The text as it is compared."""
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    return text


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Number the code cells 1 to n and bring their outputs into the stored form; in place."""
    for count, cell in enumerate(code_cells(notebook), 1):
        cell.execution_count = count
        cell.outputs = [_normal(output, count) for output in cell.outputs]


def denied(notebook: nbformat.NotebookNode) -> Iterator[tuple[int, nbformat.NotebookNode, str]]:
    """Sentences in the outputs that the measurement beside them denies, each with the number of its code cell."""
    for count, cell in enumerate(code_cells(notebook), 1):
        seen = {found.strip() for text in _texts(cell.outputs) for found in re.findall(DENIED, text)}
        for sentence in sorted(seen):
            if not any(
                sentence.endswith(other) for other in seen - {sentence}
            ):  # an image is told three times
                yield count, cell, sentence


def _texts(value, kind=None):
    """All texts inside outputs, those that describe an image included; of HTML what is read, of images nothing."""
    if isinstance(value, str):
        plain = unescape(re.sub("<[^>]*>", "", value)) if kind == "text/html" else value
        return [] if kind in IMAGES else [plain]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in _texts(item, key)]
    return [text for item in value for text in _texts(item)] if isinstance(value, list) else []


def contradictions(notebook: nbformat.NotebookNode) -> dict[str, list[str]]:
    """What the outputs tell in two ways: a relation's words, or what names a thing of the machine, and all values."""
    seen = defaultdict(set)
    for cell in code_cells(notebook):
        for text in _texts(cell.outputs):
            for before, value in re.findall(RELATION, text):
                seen[re.split("As measured: |; ", before)[-1].strip()].add(value)
            for what, pattern in OF_THE_MACHINE.items():
                seen[what].update(re.findall(pattern, text))
    return {words: sorted(values) for words, values in seen.items() if len(values) > 1}


def keep_stored(notebook: nbformat.NotebookNode, stored: nbformat.NotebookNode) -> None:
    """Give `notebook`, in place, the outputs of `stored` if nothing that is compared has changed in any cell.

    All or none: what is stored was seen in one session, so that no two cells tell of different measurements or
    machines; a stored notebook that does is renewed. Not compared are images and cells tagged
    ``nbval-ignore-output``; to draw all figures anew, delete the stored notebook first.
    """
    cells, before = code_cells(notebook), code_cells(stored)
    if list(map(_compared_cell, cells)) == list(map(_compared_cell, before)) and not contradictions(stored):
        for cell, old in zip(cells, before, strict=True):
            cell.outputs = [_normal(output, cell.execution_count) for output in old.outputs]


def _compared_cell(cell):
    """Its code, and of its outputs what two runs must agree on."""
    return cell.source, "nbval-ignore-output" in tags(cell) or _compared(cell.outputs)


def _compared(value):
    """Outputs without what is volatile: the values that two runs must agree on."""
    if isinstance(value, str):
        return same_text(value)
    if isinstance(value, list):
        return [_compared(item) for item in value]
    if isinstance(value, dict):
        return {key: _compared(item) for key, item in value.items() if not _skipped(key, item)}
    return value


def _skipped(key, item):
    """The count follows from the position; of an image the alternative text is compared, not the bytes."""
    return key == "execution_count" or (key in IMAGES and isinstance(item, str))


def _normal(output, count):
    """One output in its stored form."""
    output = nbformat.from_dict({key: _without_cell_file(item) for key, item in output.items()})
    if "metadata" in output:
        described = {
            kind: given for kind, given in output.metadata.items() if kind in IMAGES and "alt" in given
        }
        output.metadata = nbformat.from_dict(
            {kind: {"alt": given["alt"]} for kind, given in described.items()}
        )
    if "execution_count" in output:
        output.execution_count = count
    return output


def _without_cell_file(value):
    """Any text inside `value` with the temporary file of a cell renamed."""
    if isinstance(value, str):
        return re.sub(*CELL_FILE, value)
    if isinstance(value, list):
        return [_without_cell_file(item) for item in value]
    if isinstance(value, dict):
        return {key: item if key in IMAGES else _without_cell_file(item) for key, item in value.items()}
    return value
