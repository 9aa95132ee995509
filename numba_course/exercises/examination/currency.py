"""Whether an answer is of the text that the learner sees: a cell that fails or is edited leaves the old one there."""

from __future__ import annotations

import ast
import re

from numba_course.exercises.examination.answer import functions
from numba_course.exercises.examination.noted_runs import runs, session, watch
from numba_course.exercises.examination.verdict import Finding
from numba_course.syntax import parse

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
UNSEEN = {
    "exec",
    "eval",
    "globals",
    "locals",
    "vars",
    "setattr",
    "get_ipython",
}  # calls that may bind any name


def outdated(name: str, answer: object) -> Finding | None:
    """The finding for an answer that is older than the last cell to define it, since that cell failed or was edited.

    It is silent wherever the answer could be of another origin: a file, a magic, an assignment, or no IPython at all.

    Parameters
    ----------
    name : str
        Of the exercise, and so of the function or class in the learner's cell.
    answer : object

    Returns
    -------
    Finding or None
    """
    watch()
    shell = session()
    defined_in = _number(shell, name, answer)
    if defined_in is None:
        return None
    cells = shell.user_ns["In"]
    for number in range(len(cells) - 2, defined_in, -1):  # the last one is running, and calls the check
        binding = _binding(cells[number], name)
        if binding == "definition" and (failed := _failure(shell, number)) is not None:
            ended = f"ended with {failed}" if failed else "did not come to its end"
            return _older(
                f"your last cell that defines `{name}` {ended}; mend that cell, run it, and check again"
            )
        if binding:
            return None
    if instead := _renamed(runs(shell).cells, cells, defined_in):
        return _older(f"its cell now defines `{instead}`; name that `{name}`, run the cell, and check again")
    return None


def _older(why):
    return Finding("the answer that you see", f"this is an older answer: {why}")


def _renamed(known, texts, number):
    """What the cell of this run defines instead, after its last later run; None if there was none, or nothing."""
    later = [n for n, cell in known.items() if number < n < len(texts) - 1 and cell == known.get(number)]
    defined = _defined(texts[max(later)]) if later else []
    return defined[-1] if defined else None


def _number(shell, name, answer):
    """The number of the cell that the answer of this name was defined in; None if it is not known to be of one."""
    if shell is None or shell.user_ns.get(name) is not answer:
        return None
    numbers = getattr(
        shell.compile, "_filename_map", {}
    )  # of a cell's file, the last time that its text was run
    is_class = issubclass(type(answer), type)
    files = {f.__code__.co_filename for f in functions(answer) if is_class or f.__code__.co_name == name}
    found = [numbers[file] for file in files if file in numbers]
    cells = shell.user_ns.get("In", [])
    of_cells = len(found) == len(files) == 1 and found[0] < len(cells)
    return found[0] if of_cells and _binding(cells[found[0]], name) == "definition" else None


def _binding(text, name):
    """How a cell's text binds the name: by a plain ``definition``, ``perhaps`` by something else, or (empty) not."""
    try:
        tree = parse(text)
    except (SyntaxError, ValueError):
        starts = rf"^\s*(async\s+def|def|class)\s+{re.escape(name)}\b"
        return "definition" if re.search(starts, text, re.MULTILINE) else ""
    inside = {id(node) for outer in tree.body if isinstance(outer, DEFINITIONS) for node in ast.walk(outer)}
    others = [node for node in ast.walk(tree) if id(node) not in inside and _may_bind(node, name)]
    return "perhaps" if others else "definition" if name in _defined(text) else ""


def _defined(text):
    """The functions and classes that a cell's text defines; none if it does not parse."""
    try:
        return [node.name for node in parse(text).body if isinstance(node, DEFINITIONS)]
    except (SyntaxError, ValueError):
        return []


def _may_bind(node, name):
    """Whether a part of a cell outside its functions and classes may bind the name without a plain definition."""
    if isinstance(node, ast.Name):
        return node.id in UNSEEN or (node.id == name and not isinstance(node.ctx, ast.Load))
    if isinstance(node, ast.alias):
        return node.name == "*" or name in (node.asname, node.name.partition(".")[0])
    return getattr(node, "name", None) == name


def _failure(shell, number):
    """The kind of error that a cell ended with; empty if it is not known, None if the cell ended well."""
    last = shell.last_execution_result
    if last is not None and last.execution_count == number:
        error = last.error_before_exec or last.error_in_exec
        return type(error).__name__ if error else None
    known = getattr(shell.history_manager, "exceptions", None)  # of newer versions
    if known is None:
        return ""
    return known[number].get("ename", "") if number in known else None
