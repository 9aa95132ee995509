"""A card with a title, text and code, and how it reaches the learner: HTML in a notebook, plain text elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from numba_course.lens import html


@dataclass(frozen=True)
class Card:
    """Something to read: a hint, a solution, a report."""

    title: str
    text: str = ""
    code: str = ""
    note: str = ""

    def __repr__(self) -> str:
        return "\n\n".join(part for part in (self.title, self.text, self.code, self.note) if part)

    def _repr_html_(self):
        body = f"<p>{html.escape(self.text)}</p>" if self.text else ""
        body += html.code(self.code + "\n") if self.code else ""
        body += f"<p>{html.code(self.note)}</p>" if self.note else ""
        return html.card(self.title, "info", body)


def display(value: object) -> None:
    """Show a value: rich in a notebook, its plain text in a terminal."""
    try:
        from IPython import get_ipython
        from IPython.display import display as show
    except ImportError:
        print(value)
        return
    if get_ipython() is None:
        print(value)
    else:
        show(value)
