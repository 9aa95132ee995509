"""The source of a compiled function, line by line, with the type that Numba inferred for every variable."""

from dataclasses import dataclass
from typing import Any

from numba_course.lens import figures, html
from numba_course.lens.compiled import _assignments, _native
from numba_course.lens.compiled.compilation import compiled_apart


@dataclass(frozen=True)
class Line:
    """A line of the source: the variables defined in it as (name, type), and what to notice."""

    number: int
    text: str
    variables: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Types:
    """The types of one call.

    Attributes
    ----------
    name, signature : str
    lines : tuple of Line
    names : tuple of str
        All variables of the function. One that is defined only where these types never lead has no type: Numba drops
        such a branch before.
    changing : tuple of str
        Variables that have more than one type.
    widened : tuple of int
        Lines where something that is not float64 is computed in float64.
    optional, objects : tuple of str
        Variables that may be None, and that are Python objects.
    calls : tuple of (int or None, str)
        Line and name of each function that is called and was not inlined.
    assignments : tuple of _assignments.Assignment
        Each assignment of a variable has a type of its own; where ways through the function meet, so has what comes
        from there. In a parallel loop they are those before Numba infers its body once more.
    """

    name: str
    signature: str
    lines: tuple[Line, ...]
    names: tuple[str, ...]
    changing: tuple[str, ...]
    widened: tuple[int, ...]
    optional: tuple[str, ...]
    objects: tuple[str, ...]
    calls: tuple[tuple[int | None, str], ...]
    notes: tuple[str, ...]
    assignments: tuple[_assignments.Assignment, ...] = ()

    def of(self, name: str) -> tuple[str, ...]:
        """The types of a variable, or of ``"return"``, each once, in order of definition.

        Parameters
        ----------
        name : str

        Returns
        -------
        tuple of str
            Empty for a variable that is never used.

        Raises
        ------
        ValueError
            If the function has no such variable.
        """
        if name not in (*self.names, "return"):
            raise ValueError(f"name must be one of {', '.join(self.names)} or return, not {name!r}")
        defined = [kind for line in self.lines for own, kind in line.variables if own == name]
        return tuple(dict.fromkeys(defined))

    def figure(self, name: str) -> figures.Figure:
        """Draw the assignments of a variable, and the type that Numba gives to it where they meet.

        Parameters
        ----------
        name : str

        Returns
        -------
        figures.Figure

        Raises
        ------
        ValueError
            If the function has no such variable, or never uses it, or if Numba infers its types once more, in the
            body of a parallel loop.
        """
        if name not in self.names:
            raise ValueError(f"name must be one of {', '.join(self.names)}, not {name!r}")
        versions = {place: own for place, own in enumerate(self.assignments) if own.name == name}
        if not versions:
            raise ValueError(f"there is nothing to draw: {name} is never used")
        if not {own.type for own in versions.values()} <= {*self.of(name)}:
            raise ValueError(f"{name} has other types in the body of a parallel loop, which is not drawn")
        return _assignments.figure(name, versions, {line.number: line.text for line in self.lines})

    def __repr__(self) -> str:
        rows = [f"types of {self.name}{self.signature}"]
        for line in self.lines:
            rows.append(f"{line.number:>5}  {line.text}".rstrip())
            rows += [f"{'':>11}{name}: {kind}" for name, kind in line.variables]
            rows += [f"{'':>9}! {note}" for note in line.notes]
        return "\n".join(rows + [f"  note  {note}" for note in self.notes])

    def _repr_html_(self):
        rows = [
            (
                str(line.number),
                html.code(line.text or " "),
                "<br>".join(html.code(f"{name}: {kind}") for name, kind in line.variables),
                "<br>".join(html.mark("warn", note) for note in line.notes),
            )
            for line in self.lines
        ]
        body = html.table(("line", "source", "types", "notice"), rows)
        body += "".join(html.mark("info", note) for note in self.notes)
        return html.card(f"types of {self.name}{self.signature}", "info", body)


def types(fn: Any, *args: Any, **named: Any) -> Types:
    """Show the types that Numba infers for ``fn(*args)``, in the source and under the user's own names.

    In a parallel loop they are those of its body, which Numba infers once more: there the index is unsigned.

    A copy is compiled in a child process; nothing is called, and `fn` is not touched.

    Parameters
    ----------
    fn : object
        A function decorated with ``@njit``; or a ufunc, of which it is the kernel that is looked at, for the first
        element, a C callback, a method of an object of a jitclass, a bound method, a `functools.partial`.
    *args, **named
        Arguments of the call; only their types matter.

    Returns
    -------
    Types

    Raises
    ------
    TypeError
        If `fn` is no such function, or does not compile for `args`.
    ValueError
        If the processor is neither x86-64 nor ARM, so that its machine code cannot be read.
    RuntimeError
        If the compiler itself fails.
    """
    compilation = compiled_apart(fn, args, "lens.types", named=named)
    calls = [call for call in _native.facts(compilation)["calls"] if not call[1].startswith("NRT_")]
    defined = {}
    for _, name, kind in compilation.definitions:
        defined.setdefault(name, {})[kind] = None
    return Types(
        name=compilation.name,
        signature=compilation.signature,
        lines=tuple(_lines(compilation, defined, calls)),
        names=tuple(compilation.variables),
        changing=tuple(name for name, kinds in defined.items() if len(kinds) > 1),
        widened=tuple(sorted({line for line, _ in compilation.conversions})),
        optional=tuple(name for name, kinds in defined.items() if any("Optional" in kind for kind in kinds)),
        objects=tuple(name for name, kinds in defined.items() if any("pyobject" in kind for kind in kinds)),
        calls=tuple(calls),
        notes=compilation.notes,
        assignments=tuple(
            _assignments.Assignment(name, line and max(line, _start(compilation) or 0), kind, tuple(joined))
            for name, line, kind, joined in compilation.assigned
        ),
    )


def _start(compilation):
    """The line with ``def``, or None: Numba has the parameters in the line of the decorator."""
    return next((line for line, text in compilation.source if text.lstrip().startswith("def ")), None)


def _lines(compilation, defined, calls):
    """Each line of the source with its variables and notes; without source, only lines that have some."""
    texts = dict(compilation.source)
    start = _start(compilation)
    found = {}
    for line, name, kind in compilation.definitions:
        is_implied = name == "return" and "return" not in texts.get(line, "")
        if start and (line < start or is_implied):
            line = start
        found.setdefault(line, []).append((name, kind))
    notes = {}
    for line, name, kind in compilation.definitions:
        kinds = list(defined[name])
        if kinds.index(kind):
            notes.setdefault(line, []).append(f"{name} changes type: {', then '.join(kinds)}")
        if "Optional" in kind:
            may = "may be" if kind.startswith("Optional") else "holds what may be"
            notes.setdefault(line, []).append(f"{name} {may} None")
        if "pyobject" in kind:
            notes.setdefault(line, []).append(f"{name} is a Python object")
    for line, note in compilation.conversions:
        notes.setdefault(line, []).append(note)
    for line, name, before, kind in compilation.retyped:
        notes.setdefault(line, []).append(f"{name} is {kind} in the parallel loop; were it serial, {before}")
    for line in {line for line, _ in calls if line}:
        names = ", ".join(name for own, name in calls if own == line)
        notes.setdefault(line, []).append(f"calls {names}: not inlined")
    texts = texts or dict.fromkeys(sorted(found.keys() | notes.keys()), "")
    for line, text in texts.items():
        yield Line(line, text, tuple(found.get(line, ())), tuple(dict.fromkeys(notes.get(line, ()))))
