"""The table of all claims that the chapters judge, each with a link to the cell that proves it.

It stands in a text cell tagged ``ledger``, whose own text says where: ``{counts}`` and ``{table}``.
"""

import copy
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from numba_course.authoring.chapter_text import VERDICTS, Chapter, parse_text, tags, texts

TAG = "ledger"


def filled(chapter: Chapter) -> Chapter:
    """The chapter with the table where it asks for it; others come back as they are."""
    places = [index for index, cell in enumerate(chapter.cells) if TAG in tags(cell)]
    if not places:
        return chapter
    found = rows(chapter.path.parent)
    cells = copy.deepcopy(chapter.cells)
    for index in places:
        cells[index].source = cells[index].source.format(counts=counts(found), table=markdown_table(found))
    return replace(chapter, cells=cells)


def rows(folder: Path) -> list[tuple[str, str, str, str, str]]:
    """The claims of all chapters in a folder of texts: (id, verdict, sentence, right sentence, link), by id."""
    found = [row for path in texts(folder) for row in _rows_of(path)]
    return sorted(found, key=lambda row: (row[0][0], int(row[0][1:])))


def _rows_of(path):
    """The claims of one chapter, in the order of their proofs."""
    parsed = parse_text(path)
    claims, heading = dict(parsed.metadata["numba_course"]["claims"]), ""
    for cell in parsed.cells:
        if cell.cell_type == "markdown":
            heading = next((line for line in reversed(cell.source.splitlines()) if line[:1] == "#"), heading)
            continue
        anchor = quote(heading.lstrip("# ").replace("`", "").replace(" ", "-"))
        for tag in tags(cell):
            if claim := claims.pop(tag.removeprefix("claim-"), None):
                yield tag.removeprefix("claim-"), *claim, f"{path.stem}.ipynb#{anchor}"


def counts(found: list[tuple[str, str, str, str, str]]) -> str:
    """How many of the claims have which verdict, in a sentence."""
    number = Counter(verdict for _, verdict, *_ in found)
    listed = ", ".join(f"{number[verdict]} are {verdict}" for verdict in VERDICTS)
    return f"Of {len(found)} claims, {listed}."


def markdown_table(found: list[tuple[str, str, str, str, str]]) -> str:
    """The rows as a Markdown table."""
    lines = ["| Claim | Usual tutorials say | Verdict | What is true |", "|---|---|---|---|"]
    for name, verdict, said, true, link in found:
        cells = (f"[{name}]({link})", said, verdict, true)
        lines.append("| " + " | ".join(" ".join(cell.replace("|", r"\|").split()) for cell in cells) + " |")
    return "\n".join(lines)
