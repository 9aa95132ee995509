"""Which cells, and which statements of them, an answer depends on: as far as their text tells."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from numba_course.learner import global_names, ipython_syntax
from numba_course.learner.global_names import statements

ALL_BEFORE = "with all cells before it"  # so a verdict says that these have run
FUNCTIONS = ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef
DEFINITIONS = (*FUNCTIONS, ast.Import, ast.ImportFrom)
SHOW = {
    "print",
    "display",
    "exercises",
    "lens",
    "figures",
    "predict",
}  # they leave what they are given as it is
HIDDEN = {  # with these a cell can bind or change names that its text does not show
    *(
        "exec",
        "eval",
        "globals",
        "locals",
        "vars",
        "setattr",
        "delattr",
        "__import__",
        "__builtins__",
        "builtins",
    ),
    *("__main__", "__dict__", "__globals__", "modules", "importlib", "runpy", "*", "__future__"),
}


@dataclass(frozen=True)
class Cell:
    """A cell of code before it runs.

    Attributes
    ----------
    index : int
        Its place in the notebook, all kinds of cells counted from 0.
    notebook : str
        Name of the notebook's file.
    text : str
        As Python, see `ipython_syntax.as_python`.
    own : bool
        Whether the learner wrote or edited it; any other is as the course delivered it.
    """

    index: int
    notebook: str
    text: str
    own: bool

    @property
    def name(self) -> str:
        """How its place is called."""
        return f"cell {self.index + 1} of {self.notebook}"

    @property
    def file(self) -> str:
        """Name of a file for it; without spaces, as the compiler's messages take it."""
        return f"{self.notebook.removesuffix('.ipynb')}_cell_{self.index + 1}.py"

    @property
    def first_line(self) -> str:
        """Its first line that is no comment, to know it by."""
        return next((line.strip() for line in self.text.splitlines() if re.match(r"\s*[^\s#]", line)), "")[
            :60
        ]


@dataclass(frozen=True)
class _Part:
    """What is taken from a cell or left out as one: a statement of the course's, or all that a learner wrote."""

    cell: int
    numbers: tuple[int, ...]  # of the statements
    own: bool
    reads: frozenset[str]
    binds: frozenset[str]  # binds, deletes or changes in place for certain
    changes: frozenset[str]  # changes if it is data


def needed(before: Sequence[Cell], answer: Cell) -> list[list[int]]:
    """The numbers of the statements in each cell that an answer needs, as far as can be seen without running them.

    Of the course's cells these are the imports, functions and assignments that bind a global name which it reads, those
    that change in place what such a name stands for, and what they read in turn. What only shows or measures is left
    out. A cell of the learner's own is needed as a whole, because each of its statements may raise, and already if it
    reads such a name, unless that is a module or what was imported: nobody knows what it does with it.
    """
    parts = [part for number, cell in enumerate(before) for part in _parts(number, cell)]
    found = [statement for cell in before for statement in statements(cell.text) or ()]
    imported = set(global_names.stored(s for s in found if isinstance(s, ast.Import | ast.ImportFrom)))
    imported -= set(global_names.stored(s for s in found if not isinstance(s, ast.Import | ast.ImportFrom)))
    data = set(global_names.stored(s for s in found if not isinstance(s, DEFINITIONS)))
    read, chosen = _read(statements(answer.text) or ()), set()
    while more := {part for part in parts if part not in chosen and _matters(part, read, data, imported)}:
        chosen |= more
        read |= {name for part in more for name in part.reads}
        # What an own cell binds may be another name for the same thing.
        read |= {name for part in more if part.own for name in part.binds - imported}
    return [
        sorted(n for part in chosen if part.cell == cell for n in part.numbers) for cell in range(len(before))
    ]


def _matters(part, read, data, imported):
    """Whether a part must run for the sake of those who read these names."""
    if part.own:
        return bool((part.binds | part.changes) & read or part.reads & (read - imported))
    return bool((part.binds | part.changes & data) & read)


def _parts(number, cell):
    """What can be taken from the cell of this number."""
    found = statements(cell.text) or []
    together = [range(len(found))] if cell.own and found else [[n] for n in range(len(found))]
    return [_part(number, numbers, cell.own, [found[n] for n in numbers]) for numbers in together]


def _part(number, numbers, own, found):
    changed = {name for s in found for name in _changed(s) if name}
    return _Part(
        number,
        tuple(numbers),
        own,
        reads=frozenset(_read(found)),
        binds=frozenset({*global_names.stored(found), *global_names.deleted(found)} | changed),
        changes=frozenset(name for s in found for name in _changed_as_data(s)),
    )


def _read(found):
    """The global names that statements read, and the words of the text that IPython would run for them."""
    text = ast.unparse(ast.Module(list(found), []))
    words = {
        word for _, *told in ipython_syntax.calls(text) for each in told for word in re.findall(r"\w+", each)
    }
    return {*global_names.loaded(found), *words}


def is_certain(cells: Iterable[Cell]) -> bool:
    """Whether the texts show all names that these cells bind and change, in so far as the learner wrote them."""
    return not any(cell.own and _hides(cell.text) for cell in cells)


def _hides(text):
    """Whether a text can bind or change names that do not stand in it."""
    parts = [part for statement in statements(text) or () for part in ast.walk(statement)]
    words = {getattr(part, key, None) for part in parts for key in ("id", "attr", "name", "module")}
    found = list(ipython_syntax.calls(text))
    commands = {command for _, command, _, _ in found} - ipython_syntax.QUIET - {"!"}
    mentions = sum(getattr(part, "id", None) == "get_ipython" for part in parts)
    return bool(words & HIDDEN or commands or mentions > len(found))


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
