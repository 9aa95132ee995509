"""Compare functions fairly: compile time apart, interleaved runs, no ratio unless the results are equal."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass

import cloudpickle
import numba
import numpy as np

from numba_course import sandbox
from numba_course.lens import figures, html
from numba_course.lens._arguments import pack
from numba_course.lens._timing import Entry, measure

LIMIT = 30.0  # seconds that one run may take
MEMORY = 3 << 30  # bytes that the child process may use
INSIDE = "{!r} compiles inside the timed runs: this is not the time of the function alone"


class _Shown:
    """A table, the problems and some notes, as text and as HTML."""

    def __repr__(self):
        rows = list(self._rows())
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        cells = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
        lines = ["  ".join(row).rstrip() for row in cells]
        lines += [f"{html.TONES[tone][0]} {text}" for tone, text in self._problems()]
        return "\n".join([*lines, *self._notes()])

    def _repr_html_(self):
        headers, *rows = self._rows()
        problems = list(self._problems())
        lines = [html.mark(tone, text) for tone, text in problems] + [html.escape(n) for n in self._notes()]
        body = html.table(headers, [[html.escape(cell) for cell in row] for row in rows])
        body += "".join(f"<div>{line}</div>" for line in lines)
        return html.card("compare", problems[0][0] if problems else "plain", body)


@dataclass(frozen=True, repr=False)
class Comparison(_Shown):
    """What `compare` measured. Times are in seconds; what varies is printed inside ``⟨ ⟩``.

    Attributes
    ----------
    entries : tuple of Entry
        In the order given; the first is the one that the others are compared with.
    copied : bool
        Whether each call had its own copy of the arguments, because a function changes them.
    """

    entries: tuple[Entry, ...]
    copied: bool = False

    def entry(self, name):
        """The `Entry` of that name; ValueError if there is none."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise ValueError(f"name must be one of {[e.name for e in self.entries]}, not {name!r}")

    def seconds(self, name):
        """Median time of one call; ValueError if the function failed."""
        entry = self.entry(name)
        if entry.error:
            raise ValueError(f"no time: {name!r} {entry.error}")
        return statistics.median(entry.seconds)

    def ratio(self, name):
        """Median, over the rounds, of this function's time over the first function's: below 1 is faster.

        Raises
        ------
        ValueError
            If either failed, or their results differ; the message says how.
        """
        return statistics.median(self._ratios(name))

    def spread(self, name):
        """Lower and upper quartile of the rounds' ratios: half of all rounds lie between them."""
        return tuple(float(q) for q in np.quantile(self._ratios(name), (0.25, 0.75)))

    def compile_seconds(self, name):
        """Time the compiler took before the first result; None if nothing was compiled."""
        return self.entry(name).compile_seconds

    @property
    def warnings(self):
        """What spoils the measurement, a sentence each: compiling inside a timed run, too short runs."""
        inside = [INSIDE.format(e.name) for e in self.entries if e.compiled_inside]
        return (*inside, *(f"{e.name!r} is too short for the clock" for e in self.entries if e.too_short))

    def _ratios(self, name):
        first, entry = self.entries[0], self.entry(name)
        for each in (first, entry):
            if trouble := each.error or each.difference:
                raise ValueError(f"no ratio: {each.name!r} {trouble}")
        return [own / other for own, other in zip(entry.seconds, first.seconds, strict=True)]

    def _rows(self):
        yield "function", "one call", "ratio to the first", "compiled in"
        for e in self.entries:
            compiled = "–" if e.compile_seconds is None else _cell(e.compile_seconds)
            yield e.name, "–" if e.error else _cell(self.seconds(e.name)), self._ratio_cell(e), compiled

    def _ratio_cell(self, entry):
        try:
            low, high = self.spread(entry.name)
        except ValueError:
            return "no ratio"
        if entry is self.entries[0]:
            return "1"
        text = f"{self.ratio(entry.name):.3g} ({low:.3g} to {high:.3g})"
        return f"⟨{text:32}⟩"

    def _short_cell(self, entry):
        """Time and ratio, for the table of a `Sweep`."""
        if entry.error:
            return "–"
        seconds = self.seconds(entry.name)
        try:
            return f"⟨{_readable(seconds):>9} {self.ratio(entry.name):>9.3g}⟩"
        except ValueError:
            return f"{_cell(seconds)} no ratio"

    def _problems(self):
        """(tone, sentence) of what went wrong and is the same in every run."""
        for e in self.entries:
            if e.error or e.difference:
                yield "bad", f"{e.name!r} {e.error or e.difference}"
            if e.compiled_inside:
                yield "warn", INSIDE.format(e.name)

    def _notes(self):
        if len(self.entries) > 1 and not any(e.difference or e.error for e in self.entries):
            yield "Equal results."
        yield (
            "Each call had its own copy of the arguments, as they are changed."
            if self.copied
            else "All calls shared the arguments: no function changes them."
        )
        short = ", ".join(e.name for e in self.entries if e.too_short)
        clock = f"TOO SHORT for the clock: {short}" if short else "long enough for the clock"
        yield f"⟨{max((len(e.seconds) for e in self.entries), default=0)} rounds, {clock}⟩"

    def figure(self):
        """One call's time on a logarithmic axis: every round as a dot, the median as a bar."""
        medians = {e.name: self.seconds(e.name) for e in self.entries if not e.error}

        def draw(ax):
            for y, (name, median) in enumerate(medians.items()):
                rounds = self.entry(name).seconds
                ax.plot(rounds, [y] * len(rounds), ".", color="#888888", alpha=0.6)
                ax.plot([median], [y], "|", markersize=22, markeredgewidth=3, color=figures.COLOURS[0])
                ax.annotate(_readable(median), (median, y), (0, 14), textcoords="offset points", ha="center")
            ax.set_yticks(range(len(medians)), medians)
            ax.set(xscale="log", xlabel="seconds for one call, less is better")
            ax.set_ylim(len(medians) - 0.4, -0.6)

        times = ", ".join(map(_readable, medians.values()))
        alt = f"Time of one call on a logarithmic axis: {', '.join(medians)} take ⟨{times}⟩."
        return figures.show(draw, alt, size=(6.4, 0.9 + 0.55 * len(medians)))


@dataclass(frozen=True, repr=False)
class Sweep(_Shown):
    """What `compare` measured for several sizes of input.

    Attributes
    ----------
    sizes : tuple
    comparisons : tuple of Comparison
        One for each size.
    """

    sizes: tuple
    comparisons: tuple[Comparison, ...]

    def at(self, size):
        """The `Comparison` of one size; ValueError if it was not measured."""
        if size not in self.sizes:
            raise ValueError(f"size must be one of {self.sizes}, not {size!r}")
        return self.comparisons[self.sizes.index(size)]

    def _rows(self):
        yield "size", *(entry.name for entry in self.comparisons[0].entries)
        for size in self.sizes:
            comparison = self.at(size)
            yield str(size), *map(comparison._short_cell, comparison.entries)

    def _problems(self):
        for size in self.sizes:
            for tone, text in self.at(size)._problems():
                yield tone, f"size {size}: {text}"

    def _notes(self):
        yield "Each cell: the time of one call, then its ratio to the first function."

    def figure(self):
        """One call's time against size, a curve for each function; both axes are logarithmic."""
        names = [entry.name for entry in self.comparisons[0].entries]

        def draw(ax):
            for i, name in enumerate(names):
                measured = [size for size in self.sizes if not self.at(size).entry(name).error]
                times = [self.at(size).seconds(name) for size in measured]
                ax.plot(measured, times, label=name, **figures.look(i))
            ax.set(xscale="log", yscale="log", xlabel="size", ylabel="seconds for one call")
            figures.label_ends(ax)

        sizes = ", ".join(map(str, self.sizes))
        alt = f"Time of one call of {', '.join(names)} at sizes {sizes}, on logarithmic axes."
        return figures.show(draw, alt)


def _readable(seconds):
    """A time with its unit, three digits."""
    units = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
    unit, size = next((pair for pair in units if seconds >= pair[1]), units[-1])
    return f"{seconds / size:.3g} {unit}"


def _cell(seconds):
    """A time as a volatile cell of fixed width."""
    return f"⟨{_readable(seconds):>9}⟩"


def compare(functions, *args, sizes=None, threads=None):
    """Time functions against each other on the same arguments, in a child process.

    Parameters
    ----------
    functions : dict of str to callable
        Dispatchers, plain Python or NumPy functions. The first one is the one to compare with.
    *args
        The arguments of every call. If a function changes them, every call of every function gets a fresh
        copy, made before the clock starts. Copies keep dtype, strides, alignment and write permission.
    sizes : dict of size to tuple, optional
        Instead of `args`, the arguments for each size: ``{n: (data[:n],) for n in (100, 1000)}``.
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
        If `compare` was called wrongly. What a function raises is reported in its `Entry`.

    Notes
    -----
    *Equal results* means the same shape and kind of dtype, then the same values: NaN equals NaN, and floats
    agree in half the digits of the coarser dtype, as the order of a sum is free. Where functions change
    their arguments, the changes must be equal, too; and a second call must repeat the first.

    Each function is called once to compile it and once to see that it repeats itself. Then come rounds that
    run every function once, each round starting with another one; a call shorter than 2 ms is repeated
    within its run. Times include the call from Python. A function that crashes or does not end is reported
    and the others are measured again without it. Costs about two seconds and seven calls of each function.

    Not detected: results that are all wrong in the same way; work that one function leaves undone without a
    trace in its result; a processor that changes its speed within a round.
    """
    _check(functions, args, sizes)
    cases = {None: args} if sizes is None else sizes
    payloads = [_sendable(pack, case, "the arguments") for case in cases.values()]
    jobs = []
    for name, function in functions.items():
        packed = _sendable(cloudpickle.dumps, function, repr(name))
        for count in (None,) if threads is None else threads:
            label = name if count is None else f"{name}, {_checked(count)} thread{'s' * (count > 1)}"
            jobs.append((label, packed, count))
    comparisons = _measured(jobs, payloads)
    return comparisons[0] if sizes is None else Sweep(tuple(cases), comparisons)


def _check(functions, args, sizes):
    """Refuse a call of `compare` that cannot work."""
    if not isinstance(functions, dict) or not functions:
        raise TypeError(f"functions must be a dict of names and functions, not {type(functions).__name__}")
    for name, function in functions.items():
        if not isinstance(name, str):
            raise TypeError(f"functions must have strings for names, not {name!r}")
        if not callable(function):
            kind = type(function).__name__
            raise TypeError(f"functions[{name!r}] must be a function, not {kind}; was it called already?")
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


def _measured(jobs, payloads):
    """Measure in a child process; when a function ends the process, go on without that one."""
    lost, found = {}, [((), False)] * len(payloads)
    while alive := [job for job in jobs if job[0] not in lost]:
        with tempfile.TemporaryDirectory() as folder:
            outcome = sandbox.run(measure, alive, payloads, folder, seconds=LIMIT, memory=MEMORY)
        if outcome.ended == "returned":
            found = outcome.value
            break
        if outcome.ended == "raised" or not outcome.step:
            raise RuntimeError(f"compare: {outcome.ended} {outcome.error.full if outcome.error else ''}")
        how = f"{outcome.ended} (exit code {outcome.exit_code})" if outcome.exit_code else outcome.ended
        lost[outcome.step] = Entry(outcome.step, error=how)
    comparisons = []
    for entries, copied in found:
        known = {entry.name: entry for entry in entries} | lost
        comparisons.append(Comparison(tuple(known[name] for name, _, _ in jobs), copied))
    return tuple(comparisons)
