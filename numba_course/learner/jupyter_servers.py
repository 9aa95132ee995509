"""JupyterLabs that run already, and what is open in them.

JupyterLab does not look at the disk until it saves. It then offers to take the file, which drops what was typed since
the last save, or to write over it; its menu item "Close and Shut Down Notebook" drops it as well, unasked. So no
command changes a notebook that is open, and closing a tab, where JupyterLab offers to save, ends the kernel: this
is in our settings, and it is by their kernels that open notebooks are known.

`jupyter_server.serverapp.list_running_servers` reads the same files, but ends at the first that is not UTF-8 or cannot
be opened, and then all would count as closed.
"""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from jupyter_core.paths import jupyter_runtime_dir

SECONDS = 5  # a server that does not answer within is not counted
CLOSE = "close its tab there, saving it, or shut down its kernel if the tab is closed"


class Server(NamedTuple):
    """A server's folder, its address and the key to it, and the paths of the notebooks that have a kernel."""

    root: Path
    url: str
    token: str
    opened: frozenset[Path]


def servers() -> Iterator[Server]:
    """Each Jupyter server of this user that answers."""
    for file in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            server = json.loads(file.read_text(encoding="utf-8"))
            root = Path(server["root_dir"]).resolve()
            paths = {(root / session["path"]).resolve() for session in _ask(server, "api/sessions")}
        except (OSError, ValueError, KeyError, TypeError):
            continue  # left behind by one that was killed, or not ours to ask
        yield Server(root, server["url"], server["token"], frozenset(paths))


def _ask(server, question):
    """The answer of a server's API, as data."""
    request = urllib.request.Request(
        server["url"] + question, headers={"Authorization": f"token {server['token']}"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=SECONDS) as answer:
        return json.load(answer)


def opened() -> set[Path]:
    """Paths of all notebooks that are open, or were closed without shutting down their kernel."""
    return {path for server in servers() for path in server.opened}


def address(folder: Path, chapter: str) -> str | None:
    """Where a JupyterLab that runs in this very folder shows a chapter; None if none runs there."""
    for server in servers():
        if server.root == folder.resolve():
            return f"{server.url}lab/tree/{quote(chapter)}.ipynb?token={quote(server.token)}"
    return None
