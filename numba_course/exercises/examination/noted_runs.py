"""Which cell each text that was run is of: IPython keeps the texts alone, so somebody has to listen, from early on."""

from __future__ import annotations

import sys
from typing import Any


def watch() -> None:
    """Note it from now on, where there is an IPython."""
    if (shell := session()) and runs(shell) is None:
        shell.events.register("pre_run_cell", Runs(shell))


def session() -> Any:
    """The IPython of this session, or None; it is not loaded to find out."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module else None


class Runs:
    """From the number of each run to the cell that was run, as far as the front end tells cells apart."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.cells: dict[int, str] = {}

    def __call__(self, info: Any) -> None:
        if info.store_history and (cell := getattr(info, "cell_id", None)):
            self.cells[len(self.shell.user_ns["In"])] = cell  # the text is not in the list yet


def runs(shell: Any) -> Runs | None:
    """The runs that were noted in this session; None if nobody asked for it."""
    return next((c for c in shell.events.callbacks["pre_run_cell"] if isinstance(c, Runs)), None)
