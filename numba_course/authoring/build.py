"""Both notebooks of each chapter from its one text: executed, normalised and written, or compared."""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import nbformat

from numba_course import exercises
from numba_course.authoring import claims_table, stored_outputs
from numba_course.authoring.chapter_text import Chapter, ChapterError, first_line, named, read_chapter
from numba_course.authoring.notebook_kernels import ExecutionError, execute
from numba_course.exercises import predictions
from numba_course.host import ROOT


@dataclass(frozen=True)
class Target:
    """One notebook to build: a chapter, blank or solved."""

    chapter: Chapter
    solved: bool

    @property
    def path(self) -> Path:
        """Where the notebook is stored."""
        return target_path(self.chapter.path, self.solved)

    @property
    def name(self) -> str:
        """How it is called in messages: `notebooks/07_prange.ipynb`."""
        return f"{self.path.parent.name}/{self.path.name}"


def build_all(
    chapters: Iterable[str | Path] | None = None, check: bool = False, echo: Callable[[str], object] = print
) -> int:
    """Build the notebooks of the chapters, or say which of them a build would change.

    Parameters
    ----------
    chapters : iterable of str or Path, optional
        Text files, stems, topics or numbers, as `chapter_text.named` takes them. Default: all.
    check : bool
        Write nothing and show what differs. A notebook whose cells are not those of the text is not executed.
    echo : callable
        Takes each line of the report.

    Returns
    -------
    int
        Exit status: 0, or 1 if a chapter failed, if it printed a relation of times that did not hold when it was
        measured, or, with `check`, if a notebook is stale. Such a notebook is not written.

    Raises
    ------
    WrongUse
        If a name fits no chapter.

    Notes
    -----
    One kernel runs at a time: beside another one, a chapter about threads would measure that one. A chapter costs
    its execution, twice. A build after a build changes no byte.
    """
    targets, complaints = [], []
    for path in text_files(chapters):
        try:
            chapter = complete_chapter(path)
            targets += [Target(chapter, solved=False), Target(chapter, solved=True)]
        except ChapterError as error:
            complaints.append(str(error))
    if chapters is None:
        complaints += orphans()
    for complaint in complaints:
        echo(complaint)
    good = asyncio.run(_build(targets, check, echo))
    return 0 if good and not complaints else 1


def text_files(chapters: Iterable[str | Path] | None = None) -> list[Path]:
    """Text files of the named chapters, or of all.

    Raises
    ------
    WrongUse
        If a name fits no chapter.
    """
    known = sorted((ROOT / "notebooks" / "source").glob("*.md"))
    if chapters is None:
        return known
    paths = [Path(name) for name in chapters]
    return [p.resolve() if p.suffix == ".md" and p.is_file() else named(p, known) for p in paths]


def complete_chapter(path: Path) -> Chapter:
    """The chapter in this text file, with the questions of its stem, and with the table of claims if it has one."""
    found = exercises.of_chapter(path.stem) if path.stem in exercises.NAMES else ()
    return claims_table.filled(read_chapter(path, found, predictions.of_chapter(path.stem)))


def target_path(source: Path, solved: bool) -> Path:
    """Where the notebook of the chapter `source` is stored."""
    notebooks = source.parent.parent
    return (notebooks.parent / "solutions" if solved else notebooks) / f"{source.stem}.ipynb"


def stored_notebooks() -> list[Path]:
    """Paths of all stored notebooks, blank ones first."""
    return [*sorted((ROOT / "notebooks").glob("*.ipynb")), *sorted((ROOT / "solutions").glob("*.ipynb"))]


def orphans() -> list[str]:
    """A complaint for each stored notebook that no text makes."""
    stems = {path.stem for path in text_files()}
    alone = [path for path in stored_notebooks() if path.stem not in stems]
    return [f"{path.parent.name}/{path.name}: no chapter makes it; delete it" for path in alone]


def stale(target: Target) -> list[str]:
    """How the stored cells differ from those of the text, as lines of a diff; executes nothing."""
    expected = target.chapter.notebook(target.solved)
    return _difference(_outline(_stored(target.path), False), _outline(expected, False), target.name)


async def _build(targets, check, echo):
    """Build or check each target, one at a time; return whether all went well."""
    return all([await _build_one(target, check, echo) for target in targets])


async def _build_one(target, check, echo):
    """Build or check one notebook, report on it, return whether it went well."""
    if check and (difference := stale(target)):
        echo("\n".join([f"{target.name}: stale, its cells are not those of the text", *difference]))
        return False
    start = time.monotonic()
    try:
        notebook = await _executed(target)
    except ExecutionError as error:
        echo(f"{target.name}: {error}")
        return False
    if refused := [_contradiction(*found) for found in stored_outputs.denied(notebook)]:
        echo("\n".join(f"{target.name}: {reason}" for reason in refused))
        return False
    stored = _stored(target.path)
    stored_outputs.keep_stored(notebook, stored)
    text = nbformat.writes(notebook).rstrip("\n") + "\n"
    seconds = f"({time.monotonic() - start:.0f} s)"
    if target.path.exists() and target.path.read_bytes() == text.encode():
        echo(f"{target.name}: unchanged {seconds}")
        return True
    if check:
        difference = _difference(_outline(stored), _outline(notebook), target.name)
        difference = difference or ["the same cells and outputs, written in another way"]
        echo("\n".join([f"{target.name}: stale {seconds}", *difference]))
        return False
    target.path.write_text(text, encoding="utf-8", newline="\n")
    echo(f"{target.name}: written {seconds}")
    return True


def _contradiction(number, cell, sentence):
    """Why a notebook is not stored: what this machine measured denies a sentence."""
    return f"code cell {number} {first_line(cell)}: not so on this machine: {sentence}"


async def _executed(target):
    """The notebook with fresh outputs, in normal form."""
    notebook = target.chapter.notebook(target.solved)
    target.path.parent.mkdir(exist_ok=True)
    await execute(notebook, target.path.parent)
    stored_outputs.normalise(notebook)
    return notebook


def _stored(path):
    """The stored notebook; an empty one where there is none."""
    return nbformat.read(path, as_version=4) if path.exists() else nbformat.v4.new_notebook()


def _difference(old, new, name):
    """A unified diff of two outlines."""
    return list(difflib.unified_diff(old, new, f"{name} as stored", f"{name} as built", n=2, lineterm=""))


def _outline(notebook, with_outputs=True):
    """A notebook as lines that a person can compare."""
    lines = [f"notebook {json.dumps(notebook.metadata, sort_keys=True)}"]
    for cell in notebook.cells:
        lines += ["", f"── {cell.cell_type} cell {cell.id} {json.dumps(cell.metadata, sort_keys=True)}"]
        lines += cell.source.splitlines()
        for output in cell.get("outputs", []) if with_outputs else []:
            lines += _outline_output(output)
    return lines


def _outline_output(output):
    """One output as lines: a text as it is, HTML one tag a line, an image by its size and digest."""
    lines = [f"  ▸ {output.output_type} {output.get('name', '')}".rstrip()]
    texts = {"text": output.get("text", ""), **output.get("data", {})}
    for kind, text in sorted(texts.items()):
        if kind in stored_outputs.IMAGES:
            alt = output.metadata.get(kind, {}).get("alt", "")
            digest = hashlib.sha256(text.encode()).hexdigest()[:12]
            text = f"{len(text)} characters, digest {digest}, alt {alt}"
        text = text if isinstance(text, str) else json.dumps(text, sort_keys=True)
        lines += [f"  │ {kind}: {line}" for line in text.replace("><", ">\n<").splitlines()]
    return lines
