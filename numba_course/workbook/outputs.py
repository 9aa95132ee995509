"""What is stored of a cell's outputs, and when the stored ones stay, so that a rebuild changes no byte."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from html import unescape

import nbformat

from numba_course.workbook.source import tags

# The only texts that are not compared, here and by nbval: what stands inside ⟨ ⟩, and the temporary file that
# ipykernel says a cell is. Pairs of a pattern and its replacement.
CELL_FILE = (r"(?:[A-Za-z]:)?(?:[\w.~+\-]*[/\\])*ipykernel_\d+[/\\]\d+\.py", "cell.py")
VOLATILE = ((r"⟨[^⟨⟩\n]*⟩", "⟨⟩"), CELL_FILE)
IMAGES = ("image/png", "image/jpeg")  # nbval does not compare them
RELATION = r"⟨(yes|NO): [\d.]+ times"
DENIED = r"[^⟨⟩\n]*⟨NO\b[^⟨⟩\n]*⟩"  # a relation of `lens` that does not hold: its sentence, its answer


def code_cells(notebook):
    """The code cells of a notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def same_text(text):
    """The text as it is compared."""
    for pattern, replacement in VOLATILE:
        text = re.sub(pattern, replacement, text)
    return text


def normalise(notebook):
    """Number the code cells 1 to n and bring their outputs into the stored form; in place."""
    for count, cell in enumerate(code_cells(notebook), 1):
        cell.execution_count = count
        cell.outputs = [_normal(output, count) for output in cell.outputs]


def denied(notebook):
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


def keep_stored(notebook, stored):
    """Give `notebook`, in place, the outputs of `stored` wherever nothing that is compared has changed.

    What is not compared (an image, a cell tagged ``nbval-ignore-output``) stays as long as the code up to and
    with its cell is unchanged; to draw all figures anew, delete the stored notebook first. Relations of times stay
    all or none: a figure would otherwise tell another measurement than the text beside it.
    """
    cells, before = code_cells(notebook), code_cells(stored)
    by_source = defaultdict(deque)
    for cell in before:
        by_source[cell.source].append(cell)
    same_code, staying = True, {}
    for index, cell in enumerate(cells):
        same_code = same_code and index < len(before) and before[index].source == cell.source
        old = by_source[cell.source].popleft() if by_source[cell.source] else None
        if old is not None and _may_stay(cell, old, same_code):
            staying[index] = old.outputs
    relating = {index for index, cell in enumerate(cells) if _tells_a_relation(cell.outputs)}
    for index in staying.keys() - (set() if relating <= staying.keys() else relating):
        cells[index].outputs = [_normal(output, cells[index].execution_count) for output in staying[index]]


def _tells_a_relation(found):
    """Whether outputs have a relation of `lens` in them."""
    return any(re.search(RELATION, text) for text in _texts(found))


def _may_stay(cell, old, same_code):
    """Whether the stored outputs of this cell are as good as the new ones."""
    if "nbval-ignore-output" in tags(cell):
        return same_code
    has_image = any(kind in output.get("data", {}) for output in cell.outputs for kind in IMAGES)
    return _compared(cell.outputs) == _compared(old.outputs) and (same_code or not has_image)


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
