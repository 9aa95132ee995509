"""The cells that an answer depends on: the statements that it seems to need, or all that stand before it."""

import ast
import dis
import io
import os
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

ALL_BEFORE = "with all cells before it"  # so a verdict says that these have run
FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
DEFINITIONS = (*FUNCTIONS, ast.Import, ast.ImportFrom)
SHOW = {"print", "display", "exercises", "lens", "figures"}  # they leave what they are called with as it is


def needed(cells: Iterable[str]) -> str:
    """The text of the statements that the last cell needs of the others, as far as can be seen without running them.

    These are the imports, functions and assignments that bind a global name which it reads, those that change in
    place what such a name stands for, and what they read in turn. What a cell only shows or measures is left out.
    A change inside a function that is called without its argument, or inside an expression, is not seen.
    """
    *before, last = (statements(cell) for cell in cells)
    candidates = [statement for found in before for statement in found]
    effects = [(_names([s], "STORE") | _changed(s), _changed_as_data(s)) for s in candidates]
    data = {name for s in candidates if not isinstance(s, DEFINITIONS) for name in _names([s], "STORE")}
    read, chosen = _names(last, "LOAD"), set()
    while True:
        more = {
            n
            for n, (certain, of_data) in enumerate(effects)
            if n not in chosen and (certain | of_data & data) & read
        }
        if not more:
            break
        chosen |= more
        read |= _names([candidates[n] for n in more], "LOAD")
    return "".join(f"{ast.unparse(candidates[n])}\n" for n in sorted(chosen))


def call_of_run_cells(files: Iterable[Path], folder: Path, done: Path) -> str:
    """The text of a call of `run_cells`, to stand before an answer."""
    arguments = ", ".join(map(repr, (list(map(str, files)), str(folder), str(done))))
    return f"__import__({__name__!r}, fromlist=['run_cells']).run_cells({arguments}, globals())\n"


def run_cells(files: Sequence[str], folder: str, done: str, names: dict[str, Any]) -> None:
    """Run cells in their order as a notebook's kernel does, in its folder; for a child process.

    A cell that raises ends there, and the next one runs: so it was in the session, where the learner came as far as
    the answer. Nothing is shown. From here on checks and hints do nothing, and the learner's record stays as it is.

    Parameters
    ----------
    files : sequence of str
        With one cell each, so that errors and `inspect` find its lines.
    folder : str
    done : str
        File that is made at the end.
    names : dict
        Of the module in which they run.
    """
    import multiprocessing
    from unittest import mock

    import cloudpickle

    from numba_course.exercises import records
    from numba_course.exercises.question import Exercise

    multiprocessing.current_process().daemon = False  # cells have children of their own: `lens.compare`
    cloudpickle.register_pickle_by_value(sys.modules[names["__name__"]])  # and these cannot import it
    os.environ["MPLBACKEND"] = "agg"
    os.chdir(folder)
    sys.path.insert(0, "")
    names.update(display=_nothing, get_ipython=_nothing)
    mock.patch.multiple(Exercise, check=_nothing, hint=_nothing).start()
    mock.patch.object(records, "is_kept", return_value=False).start()
    with redirect_stdout(io.StringIO()) as nowhere, redirect_stderr(nowhere):
        for file in files:
            with suppress(BaseException):
                exec(compile(Path(file).read_text(encoding="utf-8"), file, "exec", dont_inherit=True), names)
    Path(done).touch()


def _nothing(*args, **kwargs):
    """Stands for what only shows or records."""


def without_magics(cell: str) -> str:
    """A cell's text with nothing done where it had a command for IPython or for the system; Python stays as it is."""
    if statements(cell):
        return cell
    return re.sub(r"^([ \t]*)(?:[%!?].*|[\w.]+\?+[ \t]*$)", r"\1pass", cell, flags=re.MULTILINE)


def after_future_imports(cell: str) -> tuple[str, str]:
    """A cell's text in two: what must stand first in a file, and the rest."""
    ends = [one.end_lineno or 0 for one in statements(cell) if getattr(one, "module", None) == "__future__"]
    lines, end = cell.splitlines(keepends=True), max(ends, default=0)
    return "".join(lines[:end]), "".join(lines[end:])


def statements(cell: str) -> list[ast.stmt]:
    """The statements of a cell's text; none where it is no Python."""
    try:
        compile(cell, "<cell>", "exec")  # refuses more than the parser does
        return ast.parse(cell).body
    except (SyntaxError, ValueError):
        return []


def _names(found, kind):
    """The global names that statements load or store, in functions as well."""
    waiting, names = [compile(ast.Module(list(found), []), "<cell>", "exec")], set()
    while waiting:
        code = waiting.pop()
        waiting += [constant for constant in code.co_consts if hasattr(constant, "co_code")]
        for step in dis.get_instructions(code):
            if step.opname.startswith(kind) and ("NAME" in step.opname or "GLOBAL" in step.opname):
                names.add(step.argval)
    return names


def _changed(statement):
    """The names of what a statement changes in place for certain, or adds itself to, as ``@overload(name)`` does."""
    if isinstance(statement, FUNCTIONS):
        calls = [decorator for decorator in statement.decorator_list if isinstance(decorator, ast.Call)]
        return {_root(argument) for call in calls for argument in _arguments(call)}
    parts = (n for n in _walk(statement) if isinstance(n, ast.Attribute | ast.Subscript))
    return {_root(part) for part in parts if not isinstance(part.ctx, ast.Load)}


def _changed_as_data(statement):
    """The names of what a statement changes if it is data: it calls a method of it, or a function with it."""
    names = set()
    for part in _walk(statement):
        if isinstance(part, ast.Call):
            names |= {_root(keyword.value) for keyword in part.keywords if keyword.arg == "out"}
        if (
            isinstance(part, ast.Expr)
            and isinstance(part.value, ast.Call)
            and _root(part.value.func) not in SHOW
        ):
            names |= {_root(each) for each in (part.value.func, *_arguments(part.value))}
    return names


def _walk(statement):
    """The parts of a statement that run with it: not the bodies of functions."""
    waiting = [statement]
    while waiting:
        part = waiting.pop()
        if not isinstance(part, (*FUNCTIONS, ast.Lambda)):
            yield part
            waiting += ast.iter_child_nodes(part)


def _arguments(call):
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _root(expression):
    """The name that an expression such as ``name[0].part`` begins with; None if it begins otherwise."""
    while isinstance(expression, ast.Attribute | ast.Subscript | ast.Starred):
        expression = expression.value
    return getattr(expression, "id", None)
