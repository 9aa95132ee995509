"""Static HTML that reads well on white and on near-black, for the reprs of instruments and report cards.

JupyterLab strips ``<style>``, ``var(...)``, ids and scripts from an untrusted notebook, so there are inline
styles with fixed colours only, text inherits its colour, and every tone is a word and an icon as well. No colour
is legible as text on both grounds, so an icon is white on its tone, and the tone has to show as an area or a line.
"""

import re
from collections.abc import Collection, Iterable
from html import escape
from textwrap import dedent

TONES = {
    "good": ("✓", "#24803f"),
    "bad": ("✗", "#c23b50"),
    "warn": ("!", "#946600"),
    "info": ("○", "#2d70b3"),
    "plain": ("", "#888888"),
}
MONOSPACE = "font-family:monospace;font-size:0.92em"

GROUND, INK = "#0d1117", "#e6edf3"  # of Python code: a ground of its own, on which colours are legible
STYLE = "github-dark"  # of Pygments, made for that ground

__all__ = [
    "Shown",
    "card",
    "code",
    "escape",
    "folded",
    "link",
    "listing",
    "mark",
    "paragraphs",
    "prose",
    "python",
    "table",
]


class Shown:
    """Shows a table and some lines, as text and as a card, from what its subclass has.

    ``_title`` names the card; ``_rows()`` yields the cells of the table, headers first, or nothing; ``_lines()``
    yields pairs of a tone and a sentence. On a card the table is folded under ``_summary()``, if that says something.
    """

    def _summary(self):
        return ""

    def _rows(self):
        return ()

    def _lines(self):
        return ()

    def __repr__(self) -> str:
        rows = list(self._rows())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
        lines = [f"{TONES[tone][0]} {text}".lstrip() for tone, text in self._lines()]
        return "\n".join(["  ".join(row).rstrip() for row in padded] + lines)

    def _repr_html_(self):
        headers, *rows = list(self._rows()) or [()]
        lines = list(self._lines())
        body = table(headers, [map(escape, row) for row in rows]) if rows else ""
        if summary := self._summary():
            body = folded(summary, body)
        body += "".join(f"<div>{mark(tone, text)}</div>" for tone, text in lines)
        worst = next(tone for tone in ("bad", "warn", "info", "good", "plain") if tone in dict(lines))
        return card(self._title, worst, body)


def card(title: str, tone: str, body_html: str) -> str:
    """A titled box; `title` is text, `body_html` is HTML that is already escaped."""
    colour = _colour(tone)
    return (
        f'<div style="border:1px solid {colour};border-left-width:5px;border-radius:4px;'
        f'padding:0.5em 0.9em;margin:0.4em 0">'
        f'<div style="font-weight:bold;margin-bottom:0.3em">{mark(tone, title)}</div>{body_html}</div>'
    )


def mark(tone: str, text: str) -> str:
    """`text` with the icon of its tone before it."""
    icon, colour = TONES[tone][0], _colour(tone)
    style = f"color:#ffffff;background-color:{colour};border-radius:3px;padding:0 0.3em;font-weight:bold"
    return (f'<span style="{style}">{icon}</span> ' if icon else "") + escape(text)


def table(headers: Collection[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; headers are text, each cell is HTML that is already escaped."""
    line = "text-align:left;vertical-align:top;padding:0.15em 0.8em 0.15em 0;border-bottom:1px solid #888888"
    head = "".join(f'<th style="{line}" scope="col">{escape(header)}</th>' for header in headers)
    body = "".join(
        "<tr>" + "".join(f'<td style="{line}">{cell}</td>' for cell in row) + "</tr>" for row in rows
    )
    shown = f"<thead><tr>{head}</tr></thead>" if headers else ""
    return f'<table style="border-collapse:collapse;text-align:left">{shown}<tbody>{body}</tbody></table>'


def fields(pairs: Iterable[tuple[str, str]]) -> str:
    """What there is to say under some labels, one below the other; labels are text, the rest is escaped HTML."""
    label = (
        "text-align:left;vertical-align:top;font-weight:normal;white-space:nowrap;padding:0.1em 1em 0.1em 0"
    )
    said = "text-align:left;vertical-align:top;overflow-wrap:anywhere;padding:0.1em 0"
    rows = "".join(
        f'<tr><th style="{label}" scope="row">{escape(name)}</th><td style="{said}">{shown}</td></tr>'
        for name, shown in pairs
    )
    return f'<table style="border-collapse:collapse;margin:0.3em 0"><tbody>{rows}</tbody></table>'


def code(text: str) -> str:
    """Text in a fixed-width font; several lines become a block that scrolls."""
    if "\n" not in text:
        return f'<code style="background:none;color:inherit;{MONOSPACE}">{escape(text)}</code>'
    style = f"background:none;color:inherit;margin:0;max-height:30em;overflow:auto;{MONOSPACE}"
    return f'<pre style="{style}">{escape(text)}</pre>'


def python(text: str) -> str:
    """Python code as a block that scrolls, highlighted where Pygments is installed."""
    try:
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer
    except ImportError:
        return code(f"{text}\n")
    marked = highlight(text, PythonLexer(), HtmlFormatter(style=STYLE, noclasses=True, nowrap=True))
    marked = re.sub(r' style="([^"]*)"', lambda found: f' style="{found[1].rstrip("; ")}"', marked)
    style = (
        f"background-color:{GROUND};color:{INK};border-radius:3px;padding:0.5em 0.8em;margin:0.3em 0;"
        f"max-height:30em;overflow:auto;{MONOSPACE}"
    )
    return f'<pre style="{style}">{marked}</pre>'


def prose(text: str) -> str:
    """A text in which backticks enclose code; one of several lines keeps them, in a fixed-width font."""
    parts = re.split(r"(`+)([^`\n](?:[^\n]*?[^`\n])??)\1(?!`)", text)
    plain, enclosed = parts[::3], [*parts[2::3], None]
    shown = "".join(
        escape(before) + (code(inside) if inside is not None else "")
        for before, inside in zip(plain, enclosed, strict=True)
    )
    if "\n" not in text:
        return shown
    return f'<div style="white-space:pre-wrap;max-height:30em;overflow:auto;{MONOSPACE}">{shown}</div>'


def paragraphs(text: str) -> str:
    """Paragraphs, an empty line between them, each as `prose`; one whose lines are indented is Python."""
    return "".join(
        python(dedent(part))
        if part.startswith("    ")
        else f'<div style="margin:0.3em 0">{prose(part)}</div>'
        for part in re.split(r"\n(?:[ \t]*\n)+", text.strip("\n"))
        if part
    )


def folded(summary: str, body_html: str, is_open: bool = False) -> str:
    """What a click on `summary`, which is text, opens, or closes if it `is_open`; no script is needed for it."""
    opened = " open" if is_open else ""
    return f'<details style="margin:0.3em 0"{opened}><summary>{prose(summary)}</summary>{body_html}</details>'


def listing(rows: Iterable[tuple[str, bool]]) -> str:
    """Rows of text in a fixed-width font, in a block that scrolls; those that are marked stand out by their edge."""
    colour = _colour("info")
    shown = "".join(
        f'<div style="border-left:4px solid {colour if marked else "transparent"};padding-left:0.5em'
        f'{";font-weight:bold" if marked else ""}">{escape(text)}</div>'
        for text, marked in rows
    )
    return f'<div style="white-space:pre;max-height:30em;overflow:auto;{MONOSPACE}">{shown}</div>'


def link(text: str, target: str) -> str:
    """A link; both are text. JupyterLab opens one to a notebook beside the one in which it stands."""
    return f'<a href="{escape(target)}">{escape(text)}</a>'


def _colour(tone):
    if tone not in TONES:
        raise ValueError(f"tone must be one of {', '.join(TONES)}, not {tone!r}")
    return TONES[tone][1]
