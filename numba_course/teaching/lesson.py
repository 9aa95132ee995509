"""A chapter as an instructor has it: its text with the notes, piece by piece, under its headings."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt

from numba_course.authoring import chapter_text as source
from numba_course.learner import notebook_files

PARTS = re.compile(r"(?<=\S)\s+(?=\*[A-Z][\w ]*:?\*)")  # *Aim:*, *Timing:*, *Ask:*, *Goes wrong:*


@dataclass(frozen=True)
class Piece:
    """A block of text, a note or a code cell.

    Attributes
    ----------
    kind : str
        ``heading``, ``text``, ``note`` or ``code``.
    source : str
    heading : str
        The heading that it stands under; its own, if it is one.
    tags : list of str
    outputs : list
        What is stored in the blank notebook under a code cell.
    """

    kind: str
    source: str
    heading: str = ""
    tags: list[str] = field(default_factory=list)
    outputs: list = field(default_factory=list)


@dataclass(frozen=True)
class Lesson:
    """A chapter's stem, title, minutes of teaching and of exercises, and pieces."""

    stem: str
    title: str
    teach: int
    exercise: int
    pieces: tuple[Piece, ...]

    def notes(self) -> str:
        """The notes as Markdown, each under its heading, its parts as paragraphs."""
        lines = [
            f"# {self.stem[:2]} {self.title}",
            f"{self.teach} minutes, and {self.exercise} for exercises.",
        ]
        heading = self.pieces[0].heading
        for piece in self.pieces:
            if piece.kind == "note":
                lines += [f"## {piece.heading}"] if piece.heading != heading else []
                lines += [" ".join(part.split()) for part in PARTS.split(piece.source)]
                heading = piece.heading
        return "\n\n".join(lines) + "\n"


def find(chapter: str) -> Lesson:
    """The chapter that is meant by a stem, a topic or a number, as `chapter_text.named` takes them.

    Raises
    ------
    WrongUse
        If this copy of the course has no such chapter.
    """
    folder = notebook_files.course_folder()
    path = source.named(chapter, source.texts(folder / "source"))
    return lesson_of(path, nbformat.read(folder / f"{path.stem}.ipynb", 4))


def lesson_of(path: Path, notebook: nbformat.NotebookNode) -> Lesson:
    """The chapter in a text file, with the outputs that its blank notebook stores."""
    parsed = source.parse_text(path)
    stored = {cell.source: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    about = parsed.metadata["numba_course"]
    pieces = tuple(_under_headings([piece for cell in parsed.cells for piece in _pieces(cell, stored)]))
    return Lesson(path.stem, about["title"], about["minutes_teach"], about["minutes_exercise"], pieces)


def _pieces(cell, stored):
    """A cell as one piece, or as many as its Markdown has blocks."""
    tags = source.tags(cell)
    if cell.cell_type == "code":
        yield Piece("code", cell.source, tags=tags, outputs=stored.get(cell.source, []))
    elif source.NOTE in tags:
        yield Piece("note", cell.source)
    else:
        lines = cell.source.splitlines()
        for token in MarkdownIt("commonmark").enable("table").parse(cell.source):
            if token.level == 0 and token.map:
                block = "\n".join(lines[slice(*token.map)]).rstrip()
                yield Piece("heading" if token.type == "heading_open" else "text", block)


def _under_headings(pieces):
    """Give each piece its heading. A note just before a heading belongs under it, but the first to the whole."""
    heading, notes = "", 0
    for piece, following in zip(pieces, [*pieces[1:], Piece("text", "")], strict=True):
        if piece.kind == "heading":
            heading = piece.source.lstrip("# ")
        notes += piece.kind == "note"
        ahead = piece.kind == "note" and notes > 1 and following.kind == "heading"
        yield replace(piece, heading=following.source.lstrip("# ") if ahead else heading)
