"""Compare functions fairly: compile time apart, interleaved runs, no ratio unless the results are equal."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numba
import numpy as np
from numba.core.ccallback import CFunc
from numba.core.dispatcher import Dispatcher

from numba_course.lens import figures, html, relations
from numba_course.lens.compiled.callables import NOT_FROM_PYTHON
from numba_course.lens.compiled.changes import changes
from numba_course.lens.errors import reason
from numba_course.lens.timing import Candidate, measure
from numba_course.process import pickling, sandbox
from numba_course.process.arguments import pack

LIMIT = 30.0  # seconds that one run may take
MEMORY = 3 << 30  # bytes that the child process may use
EQUAL_IF = "Equal results, if that is rounding: a sum of the arguments could be off by as much."
INSIDE = "{!r} compiles inside the timed runs: this is not the time of the function alone"


@dataclass(frozen=True, repr=False)
class Comparison(html.Shown):
    """What `compare` measured. Times are in seconds; what varies is printed inside ``⟨ ⟩``.

    Attributes
    ----------
    entries : tuple of Candidate
        In the order given; the first is the one that the others are compared with.
    copied : bool
        Whether each call had its own copy of the arguments, because a function changes them.
    changed : tuple of str
        Sentences on globals that are others now than in what this process had compiled of a function; what was
        measured is compiled anew, with those of now.
    """

    entries: tuple[Candidate, ...]
    copied: bool = False
    _repeat: Callable | None = field(
        default=None, compare=False
    )  # effort -> entries and copied, measured anew
    changed: tuple[str, ...] = ()
    _title = "compare"

    def entry(self, name: str) -> Candidate:
        """The `Candidate` of that name; ValueError if there is none."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise ValueError(f"name must be one of {[e.name for e in self.entries]}, not {name!r}")

    def seconds(self, name: str) -> float:
        """Median time of one call."""
        return float(np.median(self.entry(name).seconds))

    def ratio(self, name: str) -> float:
        """Median, over the rounds, of this function's time over the first function's: below 1 is faster.

        Raises ValueError if their results differ; the message says how.
        """
        return float(np.median(self._ratios(name)))

    def faster(
        self,
        name: str,
        than: str | None = None,
        times: float = 1.0,
        at_most: float | None = None,
        only_if: bool = True,
    ) -> relations.Relation:
        """Whether one function is faster than another: for a sentence that says so.

        Before the answer is no, it measures again, at most twice and for longer each time, so that a moment in
        which the machine was busy decides nothing.

        Parameters
        ----------
        name : str
        than : str, optional
            Entries; `than` is the first one if not given.
        times : float
            It must be more than so many times as fast.
        at_most : float, optional
            How many times as fast it may be at most: ``times=0.8, at_most=1.25`` asks for about equal times.
        only_if : bool
            False if the sentence does not speak of this machine, such as one about an instruction that it does
            not have: then it is printed with a remark instead of an answer.

        Returns
        -------
        Relation
            True or false; prints a sentence. Its ``measured`` is the `Comparison` that was judged last: draw
            from that one what stands beside the sentence.

        Raises
        ------
        ValueError
            If there is no such entry, or the results differ; the message says how.
        RuntimeError
            If a function fails while it is measured again.
        """
        return relations.ask(self, (self._claim(name, than, times, at_most, only_if),))

    def spread(self, name: str) -> tuple[float, ...]:
        """Lower and upper quartile of the rounds' ratios: half of all rounds lie between them."""
        return tuple(float(q) for q in np.quantile(self._ratios(name), (0.25, 0.75)))

    def compile_seconds(self, name: str) -> float | None:
        """Time the compiler took before the first result; None if nothing was compiled."""
        return self.entry(name).compile_seconds

    @property
    def warnings(self) -> tuple[str, ...]:
        """What spoils the measurement, a sentence each: compiling inside a timed run, too short runs."""
        inside = [INSIDE.format(e.name) for e in self.entries if e.compiled_inside]
        return (*inside, *(f"{e.name!r} is too short for the clock" for e in self.entries if e.too_short))

    def _ratios(self, name, than=None):
        """In each round, the time of `name` over the time of `than`, which is the first if not given."""
        first, entry = self.entries[0], self.entry(name)
        other = first if than is None else self.entry(than)
        for each in (first, other, entry):
            if each.difference:
                raise ValueError(f"no ratio: {each.name!r} {each.difference}")
        return [own / base for own, base in zip(entry.seconds, other.seconds, strict=True)]

    def _claim(self, name, than=None, times=1.0, at_most=None, only_if=True):
        than = self.entries[0].name if than is None else than
        names = self.entry(name).name, self.entry(than).name
        return relations.Claim(*names, times, at_most, asked=bool(only_if))

    def _times_as_fast(self, claim):
        """By the rounds' ratios; or by the medians, which figures show, if these deny it."""
        by_rounds = float(np.median(self._ratios(claim.than, claim.name)))
        by_medians = self.seconds(claim.than) / self.seconds(claim.name)
        return by_rounds if claim.holds(by_medians) else by_medians

    def _again(self, claims, effort):
        if self._repeat is None:
            return None
        entries, copied = self._repeat(effort)
        compiled = [
            e.compile_seconds for e in self.entries
        ]  # in a sweep, the first size has paid for the others
        kept = [replace(e, compile_seconds=s) for e, s in zip(entries, compiled, strict=True)]
        return replace(self, entries=tuple(kept), copied=copied)

    def _rows(self):
        yield "function", "one call", "ratio to the first", "compiled in"
        for e in self.entries:
            compiled = "–" if e.compile_seconds is None else _cell(e.compile_seconds)
            yield e.name, _cell(self.seconds(e.name)), self._ratio_cell(e), compiled

    def _ratio_cell(self, entry):
        if entry.difference or self.entries[0].difference:
            return "no ratio"
        if entry is self.entries[0]:
            return "1"
        low, high = self.spread(entry.name)
        text = f"{self.ratio(entry.name):.3g} ({low:.3g} to {high:.3g})"
        return f"⟨{text:32}⟩"

    def _lines(self):
        for e in self.entries:
            if e.difference:
                yield "bad", f"{e.name!r} {e.difference}"
            elif e.rounding:
                yield "info", f"{e.name!r} {e.rounding}"
            if e.compiled_inside:
                yield "warn", INSIDE.format(e.name)
        yield from (("info", sentence) for sentence in self.changed)
        if len(self.entries) > 1 and not any(e.difference for e in self.entries):
            rounding = any(e.rounding for e in self.entries)
            yield "plain", EQUAL_IF if rounding else "Equal results."
        own = "Each call had its own copy of the arguments, as they are changed."
        yield "plain", own if self.copied else "All calls shared the arguments: no function changes them."
        short = ", ".join(e.name for e in self.entries if e.too_short)
        clock = f"TOO SHORT for the clock: {short}" if short else "long enough for the clock"
        yield "plain", f"⟨{len(self.entries[0].seconds)} rounds, {clock}⟩"

    def figure(self, *relations: relations.Relation) -> figures.Figure:
        """One call's time on a logarithmic axis: every round as a dot, the median as a bar.

        The relations that a sentence reads from it are added to its words; draw it from their ``measured``.
        """
        medians = {e.name: self.seconds(e.name) for e in self.entries}

        def draw(ax):
            for y, (name, median) in enumerate(medians.items()):
                rounds = self.entry(name).seconds
                ax.plot(rounds, [y] * len(rounds), ".", color="#888888", alpha=0.6)
                ax.plot([median], [y], "|", markersize=22, markeredgewidth=3, color=figures.COLOURS[0])
                ax.annotate(_readable(median), (median, y), (0, 14), textcoords="offset points", ha="center")
            ax.set_yticks(range(len(medians)), medians)
            ax.set(xscale="log", xlabel="seconds for one call, less is better")
            ax.xaxis.set_minor_formatter("")  # within one decade its labels would lie on each other
            ax.set_ylim(len(medians) - 0.4, -0.6)

        times = ", ".join(map(_readable, medians.values()))
        alt = f"Time of one call on a logarithmic axis: {', '.join(medians)} take ⟨{times}⟩."
        return figures.show(draw, alt, *relations, size=(6.4, 0.9 + 0.55 * len(medians)))


@dataclass(frozen=True, repr=False)
class Sweep(html.Shown):
    """What `compare` measured for several sizes of input.

    Attributes
    ----------
    sizes : tuple
    comparisons : tuple of Comparison, one for each size
    """

    sizes: tuple
    comparisons: tuple[Comparison, ...]
    _title = "compare"

    def at(self, size: object) -> Comparison:
        """The `Comparison` of one size; ValueError if it was not measured."""
        if size not in self.sizes:
            raise ValueError(f"size must be one of {self.sizes}, not {size!r}")
        return self.comparisons[self.sizes.index(size)]

    def faster(self, name: str, than: str | None = None, *, at: object, **bounds: Any) -> relations.Relation:
        """Whether one function is faster than another at the size `at`; else as `Comparison.faster`.

        The ``measured`` of the relation is this sweep, with the comparison of that size as it was judged last.
        """
        return relations.ask(self, (self._claim(name, than, at=at, **bounds),))

    def _claim(self, name, than=None, *, at, **bounds):
        return replace(self.at(at)._claim(name, than, **bounds), at=at)

    def _times_as_fast(self, claim):
        return self.at(claim.at)._times_as_fast(claim)

    def _again(self, claims, effort):
        failing = {claim.at for claim in claims if not claim.holds(self._times_as_fast(claim))}
        new = {size: self.at(size)._again(claims, effort) for size in failing}
        if None in new.values():
            return None
        renewed = [new.get(size, old) for size, old in zip(self.sizes, self.comparisons, strict=True)]
        return replace(self, comparisons=tuple(renewed))

    def _rows(self):
        for size in self.sizes:
            headers, *rows = self.at(size)._rows()
            if size == self.sizes[0]:
                yield "size", *headers
            yield from ((str(size), *row) for row in rows)

    def _lines(self):
        for size in self.sizes:
            yield from ((tone, f"size {size}: {text}") for tone, text in self.at(size)._lines())

    def figure(self, *relations: relations.Relation) -> figures.Figure:
        """One call's time against size, a curve for each function; both axes are logarithmic.

        The relations that a sentence reads from it are added to its words; draw it from their ``measured``.
        """
        names = [entry.name for entry in self.comparisons[0].entries]

        def draw(ax):
            for i, name in enumerate(names):
                times = [comparison.seconds(name) for comparison in self.comparisons]
                ax.plot(self.sizes, times, label=name, **figures.look(i))
            ax.set(xscale="log", yscale="log", xlabel="size", ylabel="seconds for one call")
            figures.label_ends(ax)

        sizes = ", ".join(map(str, self.sizes))
        alt = f"Time of one call of {', '.join(names)} at sizes {sizes}, on logarithmic axes."
        return figures.show(draw, alt, *relations)


@dataclass(frozen=True, repr=False)
class Timing(Comparison):
    """What `timed` got: a `Comparison` of times that somebody else has taken."""

    _title = "timed"

    @property
    def warnings(self) -> tuple[str, ...]:
        """None: only `compare` knows what happened within a run."""
        return ()

    def _rows(self):
        yield from (cells[:3] for cells in super()._rows())

    def _lines(self):
        yield "plain", f"⟨rounds: {len(self.entries[0].seconds)}⟩"


def timed(measure: Callable[[], Mapping[str, np.typing.ArrayLike]]) -> Timing:
    """Times that `compare` cannot take, such as a process's start or the work of a pool of threads.

    Parameters
    ----------
    measure : callable
        Takes no arguments; does the work and gives a dict of names and seconds: for each name one number, or
        one for each round, which are then compared round by round. It is called once now, and a few times more
        whenever `Timing.faster` has to measure again.

    Returns
    -------
    Timing
        A `Comparison` of these names, the first one being the one to compare with; asked for ``faster`` in the
        same way.

    Raises
    ------
    ValueError
        If a time is not above zero, or the names or numbers of rounds do not agree.

    Notes
    -----
    That all do the same work is for `measure` to make sure.
    """
    repeat = functools.partial(_rounds, measure)
    return Timing(*repeat(1), _repeat=repeat)  # type: ignore[misc] # it gives two values


def _rounds(measure, calls):
    """The entries of all rounds of so many calls of `measure`, and that nothing was copied."""
    found = [{name: np.atleast_1d(seconds) for name, seconds in measure().items()} for _ in range(calls)]
    if any(list(one) != list(found[0]) for one in found):
        raise ValueError("measure must give the same names in the same order each time")
    for one in found:
        if not one or len({seconds.shape for seconds in one.values()}) != 1:
            raise ValueError("measure must give names, and the same number of rounds for each of them")
        for name, seconds in one.items():
            if not (seconds > 0).all():
                raise ValueError(f"seconds must be above zero, not {seconds.min()} for {name!r}")
    joined = {name: np.concatenate([one[name] for one in found]).tolist() for name in found[0]}
    return tuple(Candidate(name, tuple(seconds)) for name, seconds in joined.items()), False


def _readable(seconds):
    """A time with its unit, three digits."""
    units = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
    unit, size = next((pair for pair in units if seconds >= pair[1]), units[-1])
    return f"{seconds / size:.3g} {unit}"


def _cell(seconds):
    """A time as a volatile cell of fixed width."""
    return f"⟨{_readable(seconds):>9}⟩"


@overload
def compare(
    functions: dict[str, Any],
    /,
    *args: object,
    sizes: None = None,
    threads: Iterable[int] | None = None,
    **named: object,
) -> Comparison: ...
@overload
def compare(
    functions: dict[str, Any],
    /,
    *,
    sizes: dict[Any, tuple[Any, ...]],
    threads: Iterable[int] | None = None,
    **named: object,
) -> Sweep: ...
def compare(
    functions: dict[str, Any],
    /,
    *args: object,
    sizes: dict[Any, tuple[Any, ...]] | None = None,
    threads: Iterable[int] | None = None,
    **named: object,
) -> Comparison | Sweep:
    """Time functions against each other on the same arguments, in a child process.

    Parameters
    ----------
    functions : dict of str to callable
        Dispatchers, ufuncs, methods, plain Python or NumPy functions. The first one is the one to compare with.
    *args, **named
        The arguments of every call. If a function changes them, every call of every function gets a fresh
        copy, made before the clock starts. Copies keep dtype, strides, alignment and write permission.
        A parameter that is called ``sizes`` or ``threads`` is given with `functools.partial`, in `functions`.
    sizes : dict of size to tuple, optional
        Instead of `args`, the positional arguments for each size: ``{n: (data[:n],) for n in (100, 1000)}``.
    threads : iterable of int, optional
        Measure each function on each of these numbers of Numba threads, as entries of their own called
        ``"name, 2 threads"``. Without it, all threads are used, whatever is set in this process.

    Returns
    -------
    Comparison or Sweep
        A `Sweep` holds a `Comparison` for each size, if `sizes` is given.

    Raises
    ------
    TypeError, ValueError
        If `compare` was called wrongly.
    RuntimeError
        If a function raises, crashes, or takes longer than 30 s for a run; says which one.

    Notes
    -----
    *Equal results* means the same shape and kind of dtype, then the same values: NaN equals NaN, dicts are compared
    key by key in any order, and each float agrees in half the digits of the coarser dtype, as the order of a sum is
    free, or is off by at most 64 machine epsilons of the largest magnitude in its array. Where terms cancel, a sum can
    be off by more: what is off by at most 8 epsilons of the sum of all floats in the arguments is shown, and counts as
    equal. Where functions change their arguments, the changes must be equal, too; and a second call must repeat the
    first. Of objects of other kinds ``==`` decides; without one, there is no ratio.

    Each function is called once to compile it and once to see that it repeats itself. Then come rounds that
    run every function once, each round starting with another one; a call shorter than 0.3 ms is repeated
    within its run. Times include the call from Python. Costs about two seconds and seven calls of each.

    The functions and the arguments are kept as they were, so that ``faster`` can measure again.

    All functions are compiled anew, with the globals of now: where one that this process has compiled holds another
    value of a global or of a variable around it, a number, text, a tuple, another array or a compiled function,
    `changed` says so. An array that was changed in place is the same one.

    Not detected: results that are all wrong in the same way; work that one function leaves undone without a
    trace in its result; a processor that changes its speed within a round.
    """
    _check(functions, args, sizes)
    cases = {None: args} if sizes is None else sizes
    packed = [_sendable(pack, (case, named), "the arguments") for case in cases.values()]
    jobs = []
    for name, function in functions.items():
        pickled = _sendable(pickling.dumps, function, repr(name))
        for count in (None,) if threads is None else threads:
            label = str(name) if count is None else f"{name}, {_checked(count)} thread{'s' * (count > 1)}"
            jobs.append((label, pickled, count))
    compiled = [fn for fn in functions.values() if isinstance(fn, Dispatcher)]
    changed = tuple(dict.fromkeys(sentence for fn in compiled for sentence in changes(fn)))
    found = [
        Comparison(entries, copied, functools.partial(_alone, jobs, case), changed)
        for case, (entries, copied) in zip(packed, _measured(jobs, packed), strict=True)
    ]
    return found[0] if sizes is None else Sweep(tuple(sizes), tuple(found))


def _measured(jobs, packed, effort=1):
    """What `measure` gives, from a child process."""
    with tempfile.TemporaryDirectory() as folder:
        outcome = sandbox.run(measure, jobs, packed, folder, effort, seconds=LIMIT, memory=MEMORY)
    if outcome.ended != "returned":
        how = reason(outcome.error) if outcome.error else outcome.ended
        raise RuntimeError(f"compare: {outcome.step!r} failed: {how}")
    return outcome.value


def _alone(jobs, case, effort):
    """Entries, and whether arguments were copied, for one set of arguments."""
    return _measured(jobs, [case], effort)[0]


def _check(functions, args, sizes):
    """Refuse a call of `compare` that cannot work."""
    if not isinstance(functions, dict) or not functions:
        raise TypeError(f"functions must be a dict of names and functions, not {type(functions).__name__}")
    for name, function in functions.items():
        if not callable(function):
            kind = type(function).__name__
            raise TypeError(f"functions[{name!r}] must be a function, not {kind}; was it called already?")
        if isinstance(function, CFunc):
            raise TypeError(f"functions[{name!r}] {NOT_FROM_PYTHON}")
    if sizes is not None and args:
        raise TypeError("the arguments must be given either as *args or in sizes, not in both")
    if sizes is not None and not (isinstance(sizes, dict) and sizes):
        raise TypeError(f"sizes must be a dict of sizes and tuples of arguments, not {sizes!r:.60}")
    for size, case in (sizes or {}).items():
        if not isinstance(case, tuple):
            raise TypeError(f"sizes[{size!r}] must be a tuple of arguments, not {type(case).__name__}")


def _checked(count):
    most = numba.config.NUMBA_NUM_THREADS
    if not isinstance(count, int) or not 1 <= count <= most:
        raise ValueError(f"threads must be in 1..{most}, not {count!r}")
    return count


def _sendable(dump, value, what):
    try:
        return dump(value)
    except Exception as error:
        raise TypeError(f"{what} cannot be sent to another process: {error}") from error
