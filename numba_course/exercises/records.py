"""What the learner has done, kept in `progress.json` in the learner's folder.

The file is made by the ``start`` command. Where there is none, as in a checkout, progress lasts as long as the
session. A write replaces the file in one step, so that a crash leaves the old or the new one, never half of one.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from numba_course.lens import html

FILE = "progress.json"
_session: dict[str, str] = {}  # exercise name: best status of this session


def record(name, status):
    """Remember the status of an exercise; a solved one stays solved. A file that cannot be written is no error."""
    if status in ("not attempted", "our bug"):
        return
    with suppress(OSError):
        known = load()
        if known.get(name) != "correct" and known.get(name) != status:
            _session[name] = status
            _save({**known, name: status})


def load():
    """Exercise names and their statuses, from the file and this session."""
    kept = {}
    with suppress(OSError, ValueError):
        content = json.loads(Path(FILE).read_text(encoding="utf-8"))
        kept = {k: v for k, v in content.items() if isinstance(v, str)} if isinstance(content, dict) else {}
    return {**_session, **kept}


def _save(statuses):
    """Write the file in one step, if there is one."""
    if not Path(FILE).exists():
        return
    handle, temporary = tempfile.mkstemp(prefix=FILE, dir=".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(statuses, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, FILE)
    except BaseException:
        os.unlink(temporary)
        raise


@dataclass(frozen=True)
class Progress:
    """What is done, chapter by chapter: rows of (chapter, exercise, status)."""

    rows: tuple[tuple[str, str, str], ...]

    @property
    def done(self):
        """How many exercises are solved."""
        return sum(status == "correct" for _, _, status in self.rows)

    def __repr__(self):
        lines = [f"{self.done} of {len(self.rows)} exercises solved"]
        lines += [
            f"  {'✓' if s == 'correct' else '○'} {chapter}: {name} ({s})" for chapter, name, s in self.rows
        ]
        return "\n".join(lines)

    def _repr_html_(self):
        rows = [
            (html.escape(c), html.escape(n), html.mark("good" if s == "correct" else "info", s))
            for c, n, s in self.rows
        ]
        return html.card(
            f"{self.done} of {len(self.rows)} exercises solved",
            "info",
            html.table(("Chapter", "Exercise", "Status"), rows),
        )


def summary(exercises):
    """The progress over `exercises`, a mapping from chapter to names."""
    known = load()
    return Progress(
        tuple(
            (chapter, name, known.get(name, "not attempted"))
            for chapter, names in exercises.items()
            for name in names
        )
    )
