"""A card with a title, text and code, and how it reaches the learner: HTML in a notebook, plain text elsewhere."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass

from numba_course.lens import html

PLAIN = str.maketrans({"✓": "v", "✗": "x", "○": "o", "×": "x", "–": "-", "…": "...", "→": "->", "≤": "<="})


@dataclass(frozen=True)
class Card:
    """Something to read: a hint, a solution, a report.

    Attributes
    ----------
    title : str
    text : str
        Paragraphs, an empty line between them; code in backticks, or in a paragraph that is indented.
    code : str
        Python, which is highlighted.
    report : str
        A text of several lines in a fixed-width font.
    note : str
        A remark at the foot; code in backticks.
    """

    title: str
    text: str = ""
    code: str = ""
    report: str = ""
    note: str = ""

    def __repr__(self) -> str:
        parts = (self.title, self.text, self.code, self.report, self.note)
        return "\n\n".join(part for part in parts if part)

    def _repr_html_(self):
        body = html.paragraphs(self.text)
        body += html.python(self.code) if self.code else ""
        body += html.code(self.report + "\n") if self.report else ""
        body += html.paragraphs(self.note)
        return html.card(self.title, "info", body)


def display(value: object) -> None:
    """Show a value: rich in a notebook, its plain text in a terminal. Never raises: what cannot be shown is not."""
    with suppress(Exception):  # such as a terminal that is closed
        if not _shown_by_ipython(value):
            _print(str(value))


def _shown_by_ipython(value):
    """Whether IPython runs this session, and has shown the value."""
    try:
        from IPython import get_ipython
        from IPython.display import display as show

        if get_ipython() is None:
            return False
        show(value)
    except Exception:  # there is none, or it cannot: a learner may have broken it
        return False
    return True


def _print(text):
    """Print a text; on a terminal that knows fewer signs, with other ones in their place."""
    try:
        print(text)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding
        print(text.translate(PLAIN).encode(encoding, "backslashreplace").decode(encoding))
