"""Which NumPy expressions compile in nopython mode, tried with Numba itself, and what to write instead.

`ENTRIES` is the list to keep. Nothing in it says what works: that is found out, for the replacements as well. What
was found out depends on the versions of Numba and NumPy alone, so it is kept in a file, with the versions;
``python -m numba_course.lens.numpy_support`` finds it out anew for those that are installed.
"""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numba
import numpy as np
from numba import config, njit
from numba.core import types
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target

from numba_course.lens import html, results
from numba_course.process import sandbox

SECONDS = 60.0  # for one expression
KEPT = Path(__file__).with_suffix(".json")
INSTEAD = "instead"  # the key under which the verdict on the replacement is kept
INSTALLED = f"Numba {numba.__version__}, NumPy {np.__version__}"

ARRAYS = {
    "1-D": np.array([3.0, 1.0, 2.0]),
    "2-D": np.array([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0], [7.0, 9.0, 8.5]]),
    "int": np.array([3, 1, 2]),
    "SciPy": np.array([3.0, 1.0, 2.0]),
}
SCIPY = "SciPy"  # a 1-D array again, for what compiles only where SciPy is installed
REFUSALS = (NumbaError, AssertionError, NotImplementedError, ImportError)  # how the compiler says no


@dataclass(frozen=True)
class SupportEntry:
    """An expression in `a`, the kinds of `a` to try it with (none: it has no `a`), and what does the same."""

    subject: str
    expression: str
    kinds: tuple[str, ...] = ()
    instead: str = ""


def _entries(subject, *rows):
    return tuple(SupportEntry(subject, *row) for row in rows)


ONE, TWO, BOTH = ("1-D",), ("2-D",), ("1-D", "2-D")

ENTRIES = (
    *_entries(
        "create",
        ("np.zeros((10, 10), dtype=np.float64)",),
        ("np.ones((10, 10), dtype=np.float32)",),
        ("np.empty((10,), dtype=np.int32).shape",),
        ("np.arange(10)",),
        ("np.linspace(0, 1, 100)",),
        ("np.linspace(0, 1, 4, endpoint=False)", (), "np.arange(4) / 4"),
        ("np.zeros_like(a)", TWO),
        ("np.empty_like(a).shape", TWO),
        ("np.array([1, 2, 3])",),
        ("np.array([[1.0, 2.0], [3.0, 4.0]])",),
    ),
    *_entries(
        "index",
        ("a[0, :]", TWO),
        ("a[:, 0]", TWO),
        ("a[0:2, 1:3]", TWO),
        ("a[np.array([0, 2])]", TWO),
        ("a[[0, 2]]", ONE, "a[np.array([0, 2])]"),
        ("a[a > 2]", BOTH, "a.ravel()[a.ravel() > 2]"),
        ("a.T.reshape(-1)", TWO, "a.T.copy().reshape(-1)"),
    ),
    *_entries(
        "reduce",
        ("np.sum(a)", TWO),
        ("np.mean(a)", TWO),
        ("np.max(a)", TWO),
        ("np.min(a)", TWO),
        ("np.std(a)", TWO),
        ("np.sum(a, axis=0)", TWO),
        ("np.cumsum(a)", ONE),
        ("np.argmax(a)", ONE),
        ("np.sum(a, axis=0, keepdims=True)", TWO, "np.sum(a, axis=0).reshape(1, -1)"),
        ("np.mean(a, axis=0)", TWO, "np.sum(a, axis=0) / len(a)"),
        ("np.max(a, axis=0)", TWO, "np.array([np.max(c) for c in a.T.copy()])"),
        ("np.std(a, ddof=1)", ONE, "np.std(a) * np.sqrt(a.size / (a.size - 1))"),
    ),
    *_entries(
        "elements",
        ("np.sqrt(a)", ONE),
        ("np.exp(a)", ONE),
        ("np.log(a + 1)", ONE),
        ("np.sin(a)", ONE),
    ),
    *_entries(
        "algebra",
        ("np.dot(a, a)", (SCIPY, "int"), "np.sum(a * a)"),
        ("np.dot(a, a.astype(np.float32))", ONE, "np.sum(a * a.astype(np.float32))"),
        ("np.linalg.norm(a, axis=0)", TWO, "np.sqrt(np.sum(a * a, axis=0))"),
        ("np.einsum('i,i->', a, a)", ONE, "np.sum(a * a)"),
    ),
    *_entries(
        "sort, search",
        ("np.sort(a)", TWO),
        (
            "np.argsort(a)",
            BOTH,
            "np.array([k for i in range(len(a)) for k in np.argsort(a[i])]).reshape(a.shape)",
        ),
        ("np.sort(a, axis=0)", TWO, "np.sort(a.T.copy()).T"),
        ("np.argsort(a, axis=0)", TWO),
        ("np.searchsorted(np.sort(a.ravel()), 2.5)", TWO),
        ("np.where(a > 2)", TWO),
    ),
    *_entries(
        "arrange",
        ("np.concatenate((a, a))", ONE),
        ("np.tile(a, 2)", ONE, "np.concatenate((a, a))"),
        ("np.roll(a, 1, axis=0)", TWO, "np.concatenate((a[-1:], a[:-1]))"),
        ("np.pad(a, 1)", ONE, "np.concatenate((np.zeros(1), a, np.zeros(1)))"),
    ),
)


@dataclass(frozen=True, repr=False)
class Support(html.Shown):
    """What became of each expression, with the versions of Numba and NumPy that are installed.

    Attributes
    ----------
    rows : tuple of (SupportEntry, dict, str)
        The entry; for each kind of array one of ``yes``, ``no``, ``DIFFERS``; and the same for what to write
        instead, empty where there is no need of it.
    """

    rows: tuple[tuple[SupportEntry, dict[str, str], str], ...]
    _title = "NumPy in nopython mode"

    def _rows(self):
        yield "expression", "no array", *ARRAYS, "write instead"
        for entry, found, instead in self.rows:
            cells = [found.get(kind, "") for kind in ("", *ARRAYS)]
            if cells[-1]:
                cells[-1] = f"⟨{cells[-1]:3}⟩"
            yield entry.expression, *cells, f"{entry.instead}: {instead}" if instead else ""

    def _summary(self):
        wholly = sum({*found.values()} == {"yes"} for _, found, _ in self.rows)
        return f"All {len(self.rows)} expressions, of which {wholly} compile with each array that was tried"

    def _lines(self):
        replaced = [instead for _, _, instead in self.rows if instead]
        yield "plain", f"{replaced.count('yes')} of {len(replaced)} replacements give what NumPy gives."
        yield "plain", f"Found out with ⟨{INSTALLED}⟩."


def table(*subjects: str) -> Support:
    """What became of the expressions of these subjects, as kept for the installed versions; else as `tried` now.

    Parameters
    ----------
    *subjects : str
        As of `tried`.

    Returns
    -------
    Support

    Raises
    ------
    ValueError, RuntimeError
        As `tried`.
    """
    asked, data = _asked(subjects), kept().get(INSTALLED)
    if data is None or not find_spec("scipy"):
        return tried(*subjects)
    return Support(tuple(_from_data(data, asked)))


def tried(*subjects: str) -> Support:
    """Compile and call the expressions of these subjects; of all, if none is named.

    Parameters
    ----------
    *subjects : str
        Subjects of `ENTRIES`, such as ``"sort, search"``.

    Returns
    -------
    Support

    Raises
    ------
    ValueError
        If a subject is not one of those in `ENTRIES`.
    RuntimeError
        If the compiler does not survive an expression, or finds no end.

    Notes
    -----
    *yes* means that the compiled expression gives what NumPy gives, value and shape. It is compiled without
    LLVM's optimisations, in a process of its own: about 15 seconds for the whole list.
    """
    outcome = sandbox.run(_rows, _asked(subjects), seconds=SECONDS)
    if outcome.ended != "returned":
        raise RuntimeError(f"trying {outcome.step} {outcome.ended}: {outcome.error}")
    return Support(tuple(outcome.value))


def functions() -> dict[str, bool]:
    """Which of NumPy's functions Numba knows by name, ufuncs among them; classes are left out.

    Returns
    -------
    dict of str to bool
        For each name of ``numpy.__all__``, in its order: whether compiled code may call it at all. With which
        arguments is another question: `fate` has the answer.
    """
    context = cpu_target.typing_context
    cpu_target.target_context.refresh()  # imports what implements functions, and so makes them known
    context.refresh()
    named = {name: getattr(np, name) for name in np.__all__}
    return {
        name: _is_known(function, context)
        for name, function in named.items()
        if callable(function) and not isinstance(function, type)
    }


def _is_known(function, context):
    """Whether the compiler has a type for this function that says how it is called."""
    try:
        return isinstance(context.resolve_value_type(function), types.Callable)
    except (NumbaError, ValueError):  # as `numba.typeof` refuses a value
        return False


def keep() -> None:
    """Find out the whole list with the installed versions, and keep it beside that of the same Numba and another NumPy.

    Raises
    ------
    RuntimeError
        If SciPy is not installed: what needs it would be kept as refused.
    """
    if not find_spec("scipy"):
        raise RuntimeError("keep: install SciPy first, or what needs it will be kept as refused")
    same = {name: rows for name, rows in kept().items() if name.startswith(f"Numba {numba.__version__}, ")}
    same[INSTALLED] = as_data(tried())
    text = json.dumps(same, indent=1, sort_keys=True) + "\n"
    KEPT.write_text(text, encoding="utf-8", newline="\n")


def kept() -> dict[str, dict[str, dict[str, str]]]:
    """For each pair of versions the rows that are kept, as `as_data` gives them."""
    return json.loads(KEPT.read_text(encoding="utf-8"))


def as_data(support: Support) -> dict[str, dict[str, str]]:
    """The rows as they are kept: expression → what was found out, by kind of array, and of what to write instead."""
    return {
        entry.expression: found | ({INSTEAD: instead} if instead else {})
        for entry, found, instead in support.rows
    }


def _from_data(data, entries):
    """The rows of these entries, from what is kept."""
    for entry in entries:
        found = dict(data[entry.expression])
        instead = found.pop(INSTEAD, "")
        yield entry, found, instead


def _asked(subjects):
    """The entries of these subjects, or all; ValueError for a subject that there is not."""
    known = dict.fromkeys(entry.subject for entry in ENTRIES)
    for subject in subjects:
        if subject not in known:
            raise ValueError(f"subject must be one of {', '.join(known)}, not {subject!r}")
    return [entry for entry in ENTRIES if entry.subject in (subjects or known)]


def _rows(entries):
    """The rows of these entries; the child that runs this is nobody's but ours, so it may set Numba's options."""
    config.OPT = type(config.OPT)(0)
    rows = []
    for entry in entries:
        yield entry.expression
        rows.append(_row(entry))
    return rows


def _row(entry):
    """The entry, what became of it, and of its replacement for the last kind of array that was refused."""
    found = {kind: fate(entry.expression, kind) for kind in entry.kinds or ("",)}
    refused = [kind for kind, verdict in found.items() if verdict != "yes"]
    needed = refused and entry.instead
    return entry, found, fate(entry.instead, refused[-1], entry.expression) if needed else ""


def fate(expression: str, kind: str = "", expected: str = "") -> str:
    """Whether a compiled expression gives what it gives in NumPy: ``yes``, ``no`` or ``DIFFERS``.

    Parameters
    ----------
    expression : str
        In terms of ``a``, if there is a kind.
    kind : str, optional
        The array ``a``: one of `ARRAYS`.
    expected : str, optional
        Another expression, which NumPy is to compute instead.
    """
    args = (ARRAYS[kind],) if kind else ()
    wanted = _function(expected or expression, args)(*args)
    try:
        result = njit(_function(expression, args))(*args)
    except REFUSALS:
        return "no"
    pairs = zip(result, wanted, strict=True) if isinstance(wanted, tuple) else [(result, wanted)]
    return "yes" if all(_same(*pair) for pair in pairs) else "DIFFERS"


def _same(actual, expected):
    if isinstance(expected, list):  # of arrays, which need not be of one shape
        return len(actual) == len(expected) and all(map(_same, actual, expected))
    actual, expected = np.asarray(actual), np.asarray(expected)
    return actual.shape == expected.shape and bool(results.agreement(actual, expected, 1e-12).all())


def _function(expression, args):
    """A function that returns the expression, in terms of `a` if there is an argument."""
    names = {"np": np}
    exec(f"def f({'a' if args else ''}):\n    return {expression}", names)
    return names["f"]


if __name__ == "__main__":
    from numba_course.lens import numpy_support

    numpy_support.keep()  # by its name: the child process imports what it calls
