"""A notebook's cell as Python: what it has for IPython becomes calls of `get_ipython()`, or plain Python."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from numba_course.host import Trouble, brought_by
from numba_course.learner.global_names import statements

CELL_MAGIC = re.compile(r"(\s*)%%(\w+)[ \t]*(.*)\n?")
OF_PYTHON = {"time", "capture", "prun"}  # whose cells run as any others
QUIET = {  # commands that only show or set something, which nothing in a cell depends on
    *(
        "autosave",
        "autoreload",
        "colors",
        "config",
        "load_ext",
        "lsmagic",
        "magic",
        "matplotlib",
        "pdb",
        "pinfo",
    ),
    *(
        "pinfo2",
        "pip",
        "conda",
        "pprint",
        "precision",
        "psearch",
        "pwd",
        "reload_ext",
        "time",
        "timeit",
        "who",
    ),
    *("who_ls", "whos", "xmode", "prun", "capture", "html", "javascript", "js", "latex", "markdown", "svg"),
}
RUN = {"cd", "env", "run", "set_env"}  # commands with a place in what runs the cells, beside time and timeit


def as_python(cell: str) -> str:
    """The text of a cell as Python, line by line as far as can be; Python stays as it is, and so does what is neither.

    Commands become calls of `get_ipython()`, as in IPython. Cells that one of `OF_PYTHON` heads, and what a line with
    ``%time`` runs, stand there as Python, so that it can be seen what they bind.

    Raises
    ------
    Trouble
        If IPython is needed and not installed.
    """
    cell = cell.encode("utf-8", "replace").decode("utf-8")  # half a pair of surrogates is in no file
    if statements(cell) is not None:
        return cell
    magic = CELL_MAGIC.match(cell)
    if magic and magic[2] in OF_PYTHON:
        return magic[1] + _head(magic[2], magic[3]) + "\n" + as_python(cell[magic.end() :])
    found = _by_ipython(cell)
    return cell if statements(found) is None else _without_time(found)


def _head(magic, line):
    """What stands in place of the first line of a cell that runs as Python: a comment, or the name for its output."""
    name = re.search(r"(?:^|\s)([^\W\d]\w*)\s*$", line) if magic == "capture" else None
    return (
        f"{name[1]} = get_ipython().run_cell_magic('capture', '', '')"
        if name
        else f"# %%{magic} {line}".rstrip()
    )


def _by_ipython(cell):
    """What IPython makes of a cell before it runs it; empty lines at the beginning stay."""
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        raise Trouble(brought_by("course", "a cell with a command such as %time", ["ipython"])) from None
    empty = re.match(r"(?:[ \t]*\n)*", cell)[0]
    try:
        return re.sub(r"[^\n]", "", empty) + TransformerManager().transform_cell(cell)
    except SyntaxError:
        return cell


def _without_time(text):
    """A text with what ``%time`` runs in place of the command, where that is Python in its place."""
    for call, command, line, _ in reversed(list(calls(text))):
        if command == "time" and call.lineno == call.end_lineno:
            lines = text.split("\n")
            whole = lines[call.lineno - 1].encode()
            lines[call.lineno - 1] = (
                whole[: call.col_offset] + line.encode() + whole[call.end_col_offset :]
            ).decode()
            plain = "\n".join(lines)
            text = text if statements(plain) is None else plain
    return text


def calls(text: str) -> Iterator[tuple[ast.Call, str, str, str]]:
    """The calls of `get_ipython()` that commands have become: the call, the command, its line, and its cell's body.

    A command of the system is called ``!``.
    """
    for call in (node for found in statements(text) or () for node in ast.walk(found)):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Call)
            and getattr(call.func.value.func, "id", "") == "get_ipython"
        ):
            given = [each.value for each in call.args if isinstance(each, ast.Constant)]
            given = given if call.func.attr.startswith("run_") else ["!", *given]
            command, line, body = [*map(str, given), "", ""][:3]
            yield call, command, line, body


def undone(text: str) -> list[str]:
    """The commands in a cell's text that do nothing where cells run again: those of the system and of others."""
    return [
        f"!{line}" if command == "!" else f"%%{command}" if body else f"%{command}"
        for _, command, line, body in calls(text)
        if command not in QUIET | RUN
    ]
