"""The learner's copy: notebooks without outputs in a folder of their own, and JupyterLab opened there."""

import json
import os
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from numba_course.workbook.environment import ROOT, Trouble, hand_over, reason

FIRST = "00_start_here.ipynb"
PROGRESS = "progress.json"
SETTINGS = Path(__file__).parent / "lab_settings"


@dataclass(frozen=True)
class Copies:
    """Names of the notebooks that were copied, and of those that the learner had."""

    copied: tuple[str, ...]
    kept: tuple[str, ...]


def notebooks_folder():
    """The folder of the course's notebooks: the installed package's own, otherwise the checkout's.

    Raises
    ------
    Trouble
        If neither has notebooks.
    """
    for folder in (Path(str(resources.files("numba_course"))) / "notebooks", ROOT / "notebooks"):
        if any(folder.glob("*.ipynb")):
            return folder
    raise Trouble("this installation has no notebooks; use a checkout of the course.")


def prepare(source, folder):
    """Copy the notebooks of `source` to `folder`, without outputs; leave alone what is there.

    Parameters
    ----------
    source, folder : Path
        `folder` and its parents are made if need be. It also gets an empty record of progress.

    Returns
    -------
    Copies

    Raises
    ------
    Trouble
        If `folder` is the course's own, is a file, or cannot be written.
    """
    if folder.resolve() == source.resolve():
        raise Trouble(f"{folder} is the course's own folder; choose one for your copy.")
    copied, kept = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for original in sorted(source.glob("*.ipynb")):
            new = _write_once(folder / original.name, _blank(original.read_text(encoding="utf-8")))
            (copied if new else kept).append(original.name)
        _write_once(folder / PROGRESS, "{}\n")
    except FileExistsError as error:
        raise Trouble(f"{folder} is a file; choose a folder.") from error
    except OSError as error:
        raise Trouble(reason(error)) from error
    return Copies(tuple(copied), tuple(kept))


def _blank(text):
    """A notebook's text without the outputs of its code cells."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _write_once(path, text):
    """Write a file, whole or not at all, unless it exists; return whether it was written."""
    if path.exists():
        return False
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return True


def lab(folder, browser=True, port=0):
    """The command that opens JupyterLab in a learner's folder, and the environment variables it needs.

    It listens on this machine only. Its ``python3`` kernel is this interpreter, whatever others there are.

    Parameters
    ----------
    folder : Path
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
        f"--LabApp.default_url=/lab/tree/{FIRST}",
        f"--LabApp.app_settings_dir={SETTINGS}",
    ]
    command += [] if browser else ["--no-browser"]
    own = os.path.join(sys.prefix, "share", "jupyter")
    others = [path for path in (os.environ.get("JUPYTER_PATH"),) if path]
    return command, {"JUPYTER_PATH": os.pathsep.join([own, *others])}


def start(folder, browser=True, port=0):
    """Prepare a learner's folder, say what was done, and become JupyterLab."""
    copies = prepare(notebooks_folder(), folder)
    print(f"Your folder: {folder.resolve()}")
    print(f"  copied: {', '.join(copies.copied) or 'nothing'}")
    print(f"  kept as you left them: {', '.join(copies.kept) or 'nothing'}")
    print("JupyterLab runs until you press Ctrl-C here.")
    command, variables = lab(folder, browser, port)
    hand_over(command, variables=variables)
