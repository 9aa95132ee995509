"""The learner's copy: notebooks in a folder of their own, brought up to date, and JupyterLab where one left off."""

import os
import shutil
import sys
import webbrowser
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

from numba_course import __version__
from numba_course.exercises import records
from numba_course.host import Trouble, hand_over, reason
from numba_course.learner import jupyter_servers, notebook_files
from numba_course.learner.merge import Merged, deliver, delivered, merge

FIRST = "00_start_here"
SETTINGS = Path(__file__).parent / "lab_settings"


@dataclass(frozen=True)
class Copies:
    """What was done with each notebook, by its stem."""

    copied: tuple[str, ...] = ()
    updated: tuple[tuple[str, Merged], ...] = ()
    kept: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()  # sentences about those that could not be brought up to date

    def sentences(self) -> Iterator[str]:
        """The same in words."""
        if self.copied:
            yield f"  copied: {', '.join(self.copied)}"
        for stem, merged in self.updated:
            counts = {"new": merged.new, "mended": merged.mended, "taken out": merged.dropped}
            changes = [f"{count} {what}" for what, count in counts.items() if count]
            yield f"  brought up to date: {stem} (cells: {', '.join(changes) or 'none changed'})"
            if merged.kept:
                yield f"    changed here as well as by you, so yours stays: {', '.join(merged.kept)}"
        if self.kept:
            yield f"  as you left them: {', '.join(stem.partition('_')[0] for stem in self.kept)}"
        yield from (f"  {remark}" for remark in dict.fromkeys(self.remarks))


def hand_out(
    chapters: dict[str, dict[str, Any]],
    folder: Path,
    version: str = __version__,
    opened: Collection[Path] = frozenset(),
) -> Copies:
    """Copy the chapters to a learner's folder, or bring those that are there up to date.

    Parameters
    ----------
    chapters : dict of str to dict
        The course's notebooks, as `notebook_files.chapters` gives them.
    folder : Path
        It and its parents are made if need be. It also gets an empty record of progress.
    version : str
        That of the course.
    opened : collection of Path
        Notebooks that are open in JupyterLab; these stay as they are.

    Returns
    -------
    Copies

    Raises
    ------
    Trouble
        If `folder` is the course's own, is a file, cannot be written, or has files in it but nothing of the course.
    """
    if folder.resolve() == notebook_files.course_folder().resolve():
        raise Trouble(f"{folder} is the course's own folder; choose one for your copy.")
    done = {"copied": [], "updated": [], "kept": [], "remarks": []}
    if _is_foreign(folder, chapters):
        raise Trouble(
            f"{folder} has other files in it; choose an empty folder, or one that is not there yet."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for stem, notebook in chapters.items():
            path = folder / f"{stem}.ipynb"
            bring = _leave if path.resolve() in opened else _bring
            kind, what = bring(path, deliver(notebook, version), done["remarks"])
            done[kind].append(what)
        if not records.is_kept(folder):
            notebook_files.write_text(folder / records.FILE, "")
    except FileExistsError as error:
        raise Trouble(f"{folder} is a file; choose a folder.") from error
    except OSError as error:
        raise Trouble(reason(error)) from error
    return Copies(**{kind: tuple(found) for kind, found in done.items()})


def _is_foreign(folder, chapters):
    """Whether a folder has files that are seen, and none of them is the course's."""
    names = {path.name for path in folder.glob("[!.]*")}
    return bool(names) and not records.is_kept(folder) and not names & {f"{stem}.ipynb" for stem in chapters}


def _bring(path, course, remarks):
    """Copy or update one notebook; return the field of `Copies` that it belongs to, and the entry."""
    if not path.exists():
        notebook_files.write_notebook(path, course)
        return "copied", path.stem
    try:
        mine = notebook_files.read_notebook(path)
    except ValueError:
        return "copied", _replace_damaged(path, course, remarks)
    if not delivered(mine):
        remarks.append(f"{path.stem} does not say what it was copied from, so it was not brought up to date.")
        return "kept", path.stem
    theirs, ours = (str(each["metadata"]["numba_course"].get("version", "")) for each in (mine, course))
    if _newer(theirs, ours):
        remarks.append(
            f"your notebooks are of version {theirs}, newer than this course ({ours}): update the course."
        )
        return "kept", path.stem
    merged = merge(mine, course)
    if merged.notebook == mine:
        return "kept", path.stem
    notebook_files.write_notebook(path, merged.notebook)
    changed = merged.new or merged.mended or merged.dropped or merged.kept
    return ("updated", (path.stem, merged)) if changed else ("kept", path.stem)


def _leave(path, course, remarks):
    """Leave a notebook that is open, and remark on it if it should have been changed; return as `_bring` does."""
    try:
        mine = notebook_files.read_notebook(path)
        good = not delivered(mine) or merge(mine, course).notebook == mine
    except (OSError, ValueError):
        good = False
    if not good:
        remarks.append(
            f"{path.stem} is open in JupyterLab and stays as it is: {jupyter_servers.CLOSE}, and start again."
        )
    return "kept", path.stem


def _replace_damaged(path, course, remarks):
    """Set a notebook aside that cannot be read; in its place comes JupyterLab's last checkpoint, or a new copy."""
    aside = notebook_files.free(path.with_name(f"{path.stem}-damaged{path.suffix}"))
    checkpoint = path.parent / ".ipynb_checkpoints" / f"{path.stem}-checkpoint.ipynb"
    try:
        restored, origin = notebook_files.read_notebook(checkpoint), "what JupyterLab had kept of it"
    except (OSError, ValueError):
        restored, origin = course, "a new copy"
    shutil.copyfile(path, aside)
    notebook_files.write_notebook(path, restored)
    remarks.append(f"{path.name} could not be read and is now {aside.name}; in its place is {origin}.")
    return path.stem


def lab(
    folder: Path, chapter: str = FIRST, browser: bool = True, port: int = 0
) -> tuple[list[str], dict[str, str]]:
    """The command that opens JupyterLab in a learner's folder, and the environment variables it needs.

    It listens on this machine only. Its ``python3`` kernel is this interpreter, whatever others there are.

    Parameters
    ----------
    folder : Path
    chapter : str
        Stem of the notebook to open.
    browser : bool
        Whether to open one.
    port : int
        0 for any free one; JupyterLab's own search may give the same port to two that start at once.

    Returns
    -------
    command : list of str
    variables : dict of str
    """
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--log-level=WARN"]
    command += [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--KernelManager.transport_encryption=auto",
        f"--ServerApp.root_dir={folder.resolve()}",
        f"--LabApp.default_url=/lab/tree/{chapter}.ipynb",
        f"--LabApp.app_settings_dir={SETTINGS}",
    ]
    command += [] if browser else ["--no-browser"]
    own = os.path.join(sys.prefix, "share", "jupyter")
    others = [path for path in (os.environ.get("JUPYTER_PATH"),) if path]
    return command, {"JUPYTER_PATH": os.pathsep.join([own, *others])}


def start(folder: Path, browser: bool = True, port: int = 0, learner: str = "") -> None:
    """Prepare a learner's folder, say what was done, and become JupyterLab, or show the one that runs there."""
    chapters = notebook_files.chapters()
    copies = hand_out(chapters, folder, opened=jupyter_servers.opened())
    if learner:
        records.record_learner(learner, folder)
    progress = progress_of(chapters, folder)
    chapter = progress.next[0] if progress.next else FIRST
    print(f"Your folder: {folder.resolve()}", *copies.sentences(), sep="\n")
    print(f"{progress.title}. Opening {chapter}.")
    if address := jupyter_servers.address(folder, chapter):
        print(f"JupyterLab runs in this folder already: {address}")
        if port:
            print(f"It stays at its port; end it first to have one at port {port}.")
        if browser:
            webbrowser.open(address)
        return
    print("JupyterLab runs until you press Ctrl-C here.")
    command, variables = lab(folder, chapter, browser, port)
    hand_over(command, variables=variables)


def progress_of(chapters: dict[str, dict[str, Any]], folder: Path) -> records.Progress:
    """The progress of a learner's folder over the chapters."""
    asked = {stem: notebook_files.exercises(each) for stem, each in chapters.items()}
    return records.summary(asked, folder, notebook_files.predictions(chapters))


def _newer(theirs, ours):
    """Whether one version of the course is newer than another; what is no version is not."""
    with suppress(InvalidVersion):
        return Version(theirs) > Version(ours)
    return False
