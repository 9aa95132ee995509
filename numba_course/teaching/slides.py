"""A chapter as a deck of slides for reveal.js: one file that needs no network.

A section begins a slide, an output appears at a key press, so that the room can predict it; of a prediction in writing
the question and its choices are there from the start, as the card in the notebook has them. The notes are in
the speaker's view (key S). reveal.js comes with the package sphinx-revealjs, which keeps it up to date.
"""

from __future__ import annotations

import ast
import importlib.util
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbconvert.exporters import SlidesExporter
from pygments.formatters import HtmlFormatter

from numba_course.learner.notebook_files import CHECK
from numba_course.syntax import parse
from numba_course.teaching.pages import TEMPLATES

if TYPE_CHECKING:
    from numba_course.teaching.lesson import Lesson

HEIGHT, WIDTH = 16, 84  # lines of text below a slide's heading, and characters in a line
CODE = 0.72  # height of a line of code, where a line of text is 1
FIGURE = 12  # height of a picture
FILES = [
    f"dist/{name}" for name in ("reset.css", "reveal.css", "theme/white.css", "theme/black.css", "reveal.js")
]
FILES += ["plugin/notes/notes.js", "LICENSE"]
STYLES = {"light": "xcode", "dark": "github-dark"}  # of Pygments, both of high contrast


def deck(lesson: Lesson) -> str:
    """The slides of a `Lesson` as a page."""
    exporter = SlidesExporter(template_name="deck", extra_template_basedirs=[str(TEMPLATES)])
    resources = {
        "deck_title": f"{lesson.stem[:2]} {lesson.title}",
        "reveal_files": _reveal(),
        "colours": {
            theme: HtmlFormatter(style=style).get_style_defs(".highlight") for theme, style in STYLES.items()
        },
    }
    notebook = nbformat.v4.new_notebook(cells=list(cells(lesson)))
    return exporter.from_notebook_node(notebook, resources)[0]


def cells(lesson: Lesson) -> Iterator[nbformat.NotebookNode]:
    """The cells of the deck, each with its kind of slide as nbconvert wants it."""
    room = HEIGHT
    for piece in lesson.pieces:
        if piece.kind == "heading":
            yield _cell("slide", piece.source)
            yield from (
                _cell("notes", p.source)
                for p in lesson.pieces
                if (p.kind, p.heading) == ("note", piece.heading)
            )
            room = HEIGHT
        for kind, height, cell in _contents(piece):
            if height > room and room < HEIGHT:
                yield _cell("subslide", f"## {piece.heading}")
                room = HEIGHT
            cell.metadata["slideshow"] = {"slide_type": kind}
            yield cell
            room -= height


def _contents(piece):
    """What a piece brings to a slide: kind of slide, height in lines, and cell."""
    if piece.kind == "text":
        lines = re.split(r"\n(?= *[-*\d|])", piece.source)
        yield (
            "-",
            0.6 + sum(math.ceil(len(line) / WIDTH) for line in lines),
            nbformat.v4.new_markdown_cell(piece.source),
        )
    if piece.kind == "code" and not CHECK.search(piece.source) and not _only_imports(piece.source):
        asks = "prediction" in piece.tags
        if not asks:
            yield "-", 1 + CODE * len(piece.source.splitlines()), nbformat.v4.new_code_cell(piece.source)
        for output in piece.outputs:
            yield (
                "-" if asks else "fragment",
                1 + _height(output),
                nbformat.v4.new_code_cell(outputs=[output]),
            )


def _only_imports(source):
    """Whether there is nothing in a cell but imports and comments, such as offers of a hint."""
    return all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in parse(source).body)


def _height(output):
    """About how high an output is, in lines of text."""
    data = {"text/plain": output.get("text", ""), **output.get("data", {})}
    if "image/png" in data:
        return FIGURE
    html = data.get("text/html", "")
    lines = html.count("\n") + html.count("<tr") + html.count("<div")  # of code, of a table and between them
    return lines if html else CODE * data["text/plain"].count("\n")


def _cell(kind, source):
    return nbformat.v4.new_markdown_cell(source, metadata={"slideshow": {"slide_type": kind}})


def _reveal():
    """The files of reveal.js as text, by name; without the fonts that are beside them."""
    package = Path(importlib.util.find_spec("sphinx_revealjs").submodule_search_locations[0])
    folder = package / "_static" / "revealjs"
    found = {Path(name).name: (folder / name).read_text(encoding="utf-8") for name in FILES}
    return {name: re.sub(r"@import url\(.*?\);", "", text) for name, text in found.items()}
