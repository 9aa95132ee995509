"""What a learner sees while a check works: what it is doing, and after two seconds how far it is."""

from __future__ import annotations

import os
from contextlib import suppress
from time import monotonic
from typing import Any

from numba_course.exercises.card import Card, display

SHOWN_FROM, COUNTED_FROM = 0.4, 2.0  # seconds
PACE = 0.2  # seconds between two changes
SWITCH = "NUMBA_COURSE_PROGRESS"  # "0" in the environment: for programs that record or compare outputs
LONGEST = 80  # characters


class Waiting:
    """A card that changes while a check works and becomes its verdict; in a terminal only the verdict is printed.

    Parameters
    ----------
    title : str
        Whose check it is.
    """

    def __init__(self, title: str) -> None:
        self.title, self.begun = title, monotonic()
        self._changed = 0.0
        self._handle: Any = None
        self._silent = os.environ.get(SWITCH) == "0"

    def report(self, what: str, done: int, of: int) -> None:
        """Say what is done now, and how many inputs of how many are done."""
        now = monotonic()
        if self._silent or now - self.begun < SHOWN_FROM or now - self._changed < PACE:
            return
        self._changed = now
        counted = f", {done} of {of} inputs done" if of and now - self.begun > COUNTED_FROM else ""
        text = what if len(what) <= LONGEST else what[: LONGEST - 1] + "…"
        self._put(Card(f"{self.title}: checking", f"{text}{counted}"))

    def end(self, verdict: object) -> None:
        """Show the verdict in the place of what was shown until now."""
        if self._handle is None or not self._put(verdict):
            display(verdict)

    def _put(self, value: object) -> bool:
        """Show a value where the last one is; whether it is shown."""
        with suppress(Exception):  # a learner may have broken IPython
            from IPython import get_ipython
            from IPython.display import display as show

            if self._handle is not None:
                self._handle.update(value)
                return True
            if (
                getattr(get_ipython(), "kernel", None) is not None
            ):  # a terminal cannot change what it has printed
                self._handle = show(value, display_id=True)
                return True
        return False
