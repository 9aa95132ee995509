"""Every claim of the ledger is carried by its chapter, with a cell whose output proves it and is compared."""

import re

import nbformat
import pytest

from numba_course.authoring import build, claims_table
from numba_course.authoring.chapter_text import tags
from numba_course.authoring.stored_outputs import code_cells

NOTEBOOKS = build.stored_notebooks()
LEDGER = {  # chapter: the claims it must carry, by letter and last number
    "01": "A1-11 M5",
    "02": "B1-5",
    "03": "C1-12",
    "04": "B6-8 L1-2",
    "05": "F1-13 G1-4 H1-3 H5 N1-2",
    "06": "L3-6 H4",
    "07": "D1-10 N3",
    "08": "E1-5",
    "09": "K1-6",
    "10": "I1-4 N4",
    "11": "J1-8",
    "13": "M1-4 M6",
}


def names(text):
    """The ids in a row of the ledger: ``B1-3 L1`` is B1, B2, B3, L1."""
    for letter, first, last in re.findall(r"([A-Z])(\d+)(?:-(\d+))?", text):
        yield from (f"{letter}{number}" for number in range(int(first), int(last or first) + 1))


def test_the_ledger_is_whole():
    listed = [name for text in LEDGER.values() for name in names(text)]
    assert len(listed) == len(set(listed))
    counts = {letter: sum(name[0] == letter for name in listed) for letter in "ABCDEFGHIJKLMN"}
    sizes = (11, 8, 12, 10, 5, 13, 4, 5, 4, 8, 6, 6, 6, 4)
    assert counts == dict(zip("ABCDEFGHIJKLMN", sizes, strict=True))
    assert sum(sizes) == 102


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_chapter_carries_its_claims(path):
    notebook = nbformat.read(path, as_version=4)
    claims = notebook.metadata["numba_course"]["claims"]
    missing = set(names(LEDGER.get(path.stem[:2], ""))) - set(claims)
    assert not missing
    proofs = [
        cell for cell in code_cells(notebook) if "nbval-ignore-output" not in tags(cell) and cell.outputs
    ]
    proven = {tag.removeprefix("claim-") for cell in proofs for tag in tags(cell)}
    assert not set(claims) - proven


def test_the_table_of_all_claims_has_each_of_them_once():
    found = claims_table.rows(build.ROOT / "notebooks" / "source")
    assert [row[0] for row in found] == sorted(
        (name for text in LEDGER.values() for name in names(text)), key=lambda name: (name[0], int(name[1:]))
    )
    assert claims_table.counts(found).startswith("Of 102 claims, ")
    for *_, link in found:
        assert (build.ROOT / "notebooks" / link.partition("#")[0]).is_file()
