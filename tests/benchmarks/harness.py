"""Measure each kernel against its peers: in turns, in one process, and no ratio where the results differ.

pyperf, pytest-benchmark and asv measure one candidate after the other; here every round runs all of them, so
that a machine that changes its pace changes both sides of a ratio.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import itertools
import json
import os
import platform
import re
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba import njit, prange
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import _kept
from numba_course.lens import figures
from numba_course.lens.results import agreement, first_difference
from numba_course.lens.timing import calls_for, rotated

HERE = Path(__file__).parent
SAMPLE = 2e-3  # seconds that a sample lasts at least: a shorter call is repeated within it
ROUNDS = (7, 31)  # fewest, and as many as will do
SECONDS = 3.0  # that the rounds of one case take, about
TRIES = 5  # samples taken for one that nothing disturbs
SETTLE = 2e-3  # seconds that worker threads need to fall asleep
WAITED = 0.02  # share of a sample that a thread of ours may wait for a processor
BRINGS = 'python -m pip install -c constraints.txt -e ".[peers]"'
WIDTH = 150  # columns of the table, at least
WIDE = 1.5  # the 90th percentile over the 10th: more is called noisy


def equal(ours, theirs):
    """In what two results differ, to the last bit but with NaN equal to NaN; empty if in nothing."""
    return _difference(ours, theirs)


def close(rtol, atol=0.0):
    """A function like `equal` that allows the difference ``rtol * abs(theirs).max() + atol``."""
    return lambda ours, theirs: _difference(ours, theirs, rtol, atol)


def _difference(ours, theirs, rtol=0.0, atol=0.0):
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.shape != theirs.shape:
        return f"ours has shape {ours.shape}, theirs {theirs.shape}"
    same = agreement(ours, theirs, rtol, atol)
    if same.all():
        return ""
    first = first_difference(same)
    place = f" at {list(first)}" if first else ""
    return f"{np.sum(~same)} of {same.size} differ, first{place}: {ours[first]}, not {theirs[first]}"


@dataclass(frozen=True)
class Case:
    """One input on which a kernel of ours is measured against its peers.

    Attributes
    ----------
    kernel : str
    label : str
        The size and what else makes this case.
    ours : callable
        Without arguments; returns the result. It may be the same array each time, but not one that a peer
        returns, too.
    peers : dict of str to callable
        The same work by others: only those that are `installed`.
    threads : int
        For Numba, OpenCV and the BLAS of NumPy; what else has threads must be told by its callable.
    agrees : callable
        Of our result and a peer's: in what they differ, empty if they agree. `equal`, or made by `close`.
    traffic : int
        Bytes that must at least be read and written; 0 if memory is not the limit.
    written : int
        How many of them are written.
    """

    kernel: str
    label: str
    ours: Callable[[], Any]
    peers: dict[str, Callable[[], Any]]
    threads: int = 1
    agrees: Callable[[Any, Any], str] = equal
    traffic: int = 0
    written: int = 0


@dataclass(frozen=True)
class Result:
    """What was measured of one case against one peer: medians over the rounds."""

    kernel: str
    case: str
    peer: str
    threads: int
    ratio: float | None = (
        None  # our time over the peer's: below 1, ours is faster; None if there is `trouble`
    )
    low: float | None = None  # 10th percentile over the rounds
    high: float | None = None
    seconds: float | None = None  # one call of ours
    bandwidth: float | None = None  # ours over that of plain loops that move as many bytes
    limit: float | None = None  # the latter, in bytes a second
    rounds: int = 0
    noisy: str = ""
    trouble: str = ""


def installed(name):
    """The module of that name, or None where there is none."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def names():
    """The kernels that have benchmarks: the modules beside this one."""
    return sorted(path.stem for path in HERE.glob("[a-z]*.py") if path.name != Path(__file__).name)


def cases(kernel, toy):
    """The cases of one kernel, one at a time, so that only one holds its arrays.

    Raises
    ------
    LookupError
        If no benchmark has that name.
    """
    if kernel not in names():
        raise LookupError(f"there is no benchmark {kernel}; there are {', '.join(names())}")
    return importlib.import_module(f"{__package__}.{kernel}").cases(toy)


def run(
    kernel=None, toy=False, json_file=None, figure_file=None, table_file=None, threads=None, console=None
):
    """Measure one kernel or all, and show what was found.

    Parameters
    ----------
    kernel : str, optional
    toy : bool
        Small inputs and one round: whether the results agree, and no ratios to rely on.
    json_file, figure_file : Path, optional
        Where to write the results; the figure is a PNG.
    table_file : Path, optional
        Markdown in which sections on other kernels and processors stay.
    threads : int, optional
        Leaves out the cases on another number of threads.
    console : rich.console.Console, optional

    Returns
    -------
    int
        Exit status: 1 if a peer's result differs from ours, or something raised.

    Raises
    ------
    LookupError
        If no benchmark has that name.
    OSError
        If a file cannot be written; found out before anything is measured.
    """
    console = console or Console(highlight=False, markup=False)  # or brackets would be taken for a style
    console.width = max(console.width, WIDTH)
    chosen = [(name, cases(name, toy)) for name in ([kernel] if kernel else names())]
    for file in filter(None, (json_file, figure_file, table_file)):
        file.open("ab").close()
    console.print("\n".join(_circumstances()))
    if toy:
        console.print("toy sizes, one round: the ratios mean nothing, only whether the results agree")
    else:
        console.print("the limit: plain loops of ours that read and write as many bytes as the case must")
    results = []
    for name, of_kernel in chosen:
        wanted = (case for case in of_kernel if threads in (None, case.threads))
        found = list(_watched(name, wanted, toy, console))
        console.print(_table(name, found))
        for remark in _remarks(found):
            console.print(remark)
        if table_file:
            text = table_file.read_text(encoding="utf-8")
            table_file.write_text(
                _kept.with_section(text, name, found, ["numba", "numpy", *_peers()]), encoding="utf-8"
            )
        results += found
    console.print(f"threading layer: {_layer()}")
    if json_file:
        json_file.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n", encoding="utf-8")
    if figure_file:
        figure_file.write_bytes(figure(results).png)
    return int(any(result.trouble for result in results))


def _watched(name, of_kernel, toy, console):
    """The results of one kernel, case by case, showing which is at work."""
    with Progress(console=console, auto_refresh=False, transient=True) as progress:  # no thread that draws
        task = progress.add_task(name, total=None)
        for case in of_kernel:
            progress.update(task, description=f"{name}: {case.label}, {_threads(case.threads)}", refresh=True)
            yield from measure(case, toy)


def measure(case, toy=False):
    """The results of one case, one for each peer; no ratio for a peer whose result differs from ours."""
    if case.threads > numba.config.NUMBA_NUM_THREADS:
        trouble = f"needs {_threads(case.threads)}, here are {numba.config.NUMBA_NUM_THREADS}"
        return [_result(case, peer, noisy=f"not measured: {trouble}") for peer in case.peers]
    with _set_threads(case.threads):
        trouble = _troubles(case)
        good = {peer: call for peer, call in case.peers.items() if not trouble[peer]}
        candidates = {"": case.ours, **{f"peer {peer}": call for peer, call in good.items()}}
        if case.traffic and not toy:
            candidates["limit"] = _mover(case)
        times, noise = _rounds(candidates, case.threads, toy) if good else ({}, "")
    return [
        _result(case, peer, trouble=trouble[peer]) if trouble[peer] else _judged(case, peer, times, noise)
        for peer in case.peers
    ]


def _troubles(case):
    """For each peer, why there can be no ratio; empty where the results agree."""
    try:
        ours = case.ours()
    except Exception as error:
        return dict.fromkeys(case.peers, f"ours raised {type(error).__name__}: {error}")
    return {peer: _trouble(case, ours, call) for peer, call in case.peers.items()}


def _trouble(case, ours, call):
    try:
        theirs = call()
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray) and np.may_share_memory(ours, theirs):
        return "no ratio: both results are in the same memory, so nothing was compared"
    difference = case.agrees(ours, theirs)
    return f"no ratio, the results differ: {difference}" if difference else ""


def _rounds(candidates, threads, toy):
    """Seconds of each candidate in each round that nothing disturbed, and what disturbed the others."""
    order = list(candidates)
    calls = {name: 1 if toy else _calls(call) for name, call in candidates.items()}
    clean, disturbed = [], []
    least, enough = (1, 1) if toy else ROUNDS
    start = time.perf_counter()
    gc.collect()
    gc.disable()  # as timeit does: a collection would be charged to whoever is running
    try:
        for turn in itertools.count():
            seconds, waited = {}, 0.0
            for name in rotated(order, turn):
                if threads > 1:
                    time.sleep(SETTLE)
                seconds[name], share = _undisturbed(candidates[name], calls[name])
                waited = max(waited, share)
            (disturbed if waited > WAITED else clean).append(seconds)
            late = time.perf_counter() - start > (0 if toy else SECONDS)
            if len(clean) >= enough or (late and turn + 1 >= least):
                break
    finally:
        gc.enable()
    noise = ""
    if len(disturbed) > len(clean) and not toy:
        noise = f"noisy: in {len(disturbed)} of {turn + 1} rounds our threads waited for a processor"
    used = clean if len(clean) >= least else clean + disturbed
    return {name: np.array([seconds[name] for seconds in used]) for name in order}, noise


def _undisturbed(call, calls):
    """The first sample that nothing disturbed; the last one if there is none."""
    for _ in range(TRIES):
        seconds, share = _sample(call, calls)
        if share <= WAITED:
            break
    return seconds, share


def _calls(call):
    """How many calls last for a sample."""
    return calls_for(SAMPLE, lambda calls: _sample(call, calls)[0] * calls)


def _sample(call, calls):
    """Seconds of one call, and the share of the time that threads of ours waited for a processor."""
    if calls > 1:
        call()  # what the others left in the caches is not its fault
    again = itertools.repeat(None, calls)
    before, start = _waiting(), time.perf_counter()
    for _ in again:
        call()
    seconds = time.perf_counter() - start
    return seconds / calls, (_waiting() - before) / seconds


def _waiting():
    """Seconds that the threads of this process were ready to run and did not; 0 where Linux does not say."""
    total = 0
    for path in Path("/proc/self/task").glob("*/schedstat"):
        with contextlib.suppress(OSError):  # the thread has ended
            total += int(path.read_text().split()[1])
    return total / 1e9


def _judged(case, peer, times, noise):
    """The result of a peer that agrees, from the times of all rounds."""
    ratios = times[""] / times[f"peer {peer}"]
    low, ratio, high = np.quantile(ratios, (0.1, 0.5, 0.9))
    if high > WIDE * low:
        noise = noise or f"noisy: the ratio varies by a factor of {high / low:.1f}"
    fraction = limit = None
    if "limit" in times:
        fraction = float(np.median(times["limit"] / times[""]))
        limit = case.traffic / float(np.median(times["limit"]))
    return _result(
        case,
        peer,
        ratio=float(ratio),
        low=float(low),
        high=float(high),
        seconds=float(np.median(times[""])),
        bandwidth=fraction,
        limit=limit,
        rounds=len(ratios),
        noisy=noise,
    )


def _result(case, peer, **found):
    return Result(case.kernel, case.label, peer, case.threads, **found)


@contextlib.contextmanager
def _set_threads(count):
    """Let Numba, OpenCV and the BLAS of NumPy use `count` threads, and restore Numba's number after."""
    before = numba.get_num_threads()
    numba.set_num_threads(count)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(count)
    pools = installed("threadpoolctl")
    try:
        with pools.threadpool_limits(count, user_api="blas") if pools else contextlib.nullcontext():
            yield
    finally:
        numba.set_num_threads(before)


# What memory gives: plain loops that read and write as many bytes


@njit(nogil=True)
def _move(source, destination):
    """Copy as far as both arrays reach; sum the rest of the one, or fill the rest of the other."""
    both = min(source.size, destination.size)
    for i in range(both):
        destination[i] = source[i]
    rest = destination[both:]
    for i in range(rest.size):
        rest[i] = 1
    rest, total = source[both:], 0
    for i in range(rest.size):
        total += rest[i]
    return total


@njit(parallel=True)
def _move_parts(source, destination, parts):
    total = 0
    for part in prange(parts):
        total += _move(
            source[source.size * part // parts : source.size * (part + 1) // parts],
            destination[destination.size * part // parts : destination.size * (part + 1) // parts],
        )
    return total


def _mover(case):
    """A callable that moves as many bytes as the case must."""
    source = np.ones((case.traffic - case.written) // 8, np.int64)
    destination = np.ones(case.written // 8, np.int64)
    arguments = (source, destination) if case.threads == 1 else (source, destination, case.threads)
    move = _move if case.threads == 1 else _move_parts
    move(*arguments)  # compiles
    return lambda: move(*arguments)


# What is shown


def _circumstances():
    """Where the numbers come from, and what may spoil them, a line each."""
    versions = f"Python {platform.python_version()}, numba {numba.__version__}, NumPy {np.__version__}"
    yield f"{versions}; {platform.machine()}, {os.cpu_count()} processors"
    missing = [name for name in _peers() if not _has(name)]
    if missing:
        yield f"not installed, so left out: {', '.join(missing)} ({BRINGS} brings them)"
    with contextlib.suppress(OSError):
        running = int(Path("/proc/loadavg").read_text().split()[3].split("/")[0]) - 1
        if running > 0:
            yield f"noisy: {running} other processes or threads are running; ratios suffer less than times"


def _peers():
    """Names of the distributions in the extra `peers`."""
    text = (HERE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    return [re.match(r"[\w.-]+", line)[0] for line in extras["peers"]]


def _has(name):
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return bool(importlib.metadata.version(name))
    return False


def _layer():
    """The threading layer that Numba used."""
    try:
        return numba.threading_layer()
    except ValueError:
        return "none, nothing ran in parallel"


def _threads(count):
    return f"{count} thread{'s' * (count > 1)}"


def _table(name, found):
    """The results of one kernel as a table."""
    table = Table(title=name, title_justify="left", title_style="bold", box=None)
    for heading in ("case", "peer"):
        table.add_column(heading, no_wrap=True)
    for heading in ("threads", "ours/peer", "10–90 %", "ours, ms", "of the limit", "limit, GB/s"):
        table.add_column(heading, justify="right", no_wrap=True)
    for r in found:
        cells = ["no ratio"]
        if r.ratio is not None:
            cells = [f"{r.ratio:.3f}", f"{r.low:.3f}–{r.high:.3f}", f"{r.seconds * 1e3:.4g}"]
            cells += [f"{r.bandwidth:.2f}", f"{r.limit / 1e9:.3g}"] if r.limit else []
        table.add_row(r.case, r.peer, str(r.threads), *cells)
    return table


def _remarks(found):
    """What is wrong with results, a line each; what is said of several peers of a case, once."""
    said = {}
    for result in found:
        for text in filter(None, (result.trouble, result.noisy)):
            said.setdefault((result.case, result.threads, text), []).append(result.peer)
    for (case, threads, text), peers in said.items():
        yield f"{case}, {_threads(threads)}, {', '.join(peers)}: {text}"


def figure(results):
    """Every ratio as a point with its spread on a logarithmic axis, the name of its case beside it."""
    found = [result for result in results if result.ratio is not None]
    labels = [f"{r.kernel}, {r.case}, {_threads(r.threads)}: {r.peer}" for r in found]

    def draw(ax):
        for y, r in enumerate(found):
            ax.plot([r.low, r.high], [y, y], "-", color="#555555", linewidth=1)
            ax.plot([r.ratio], [y], "o", color="black", markersize=4)
            ax.annotate(f"{r.ratio:.2f}", (r.high, y), (4, 0), textcoords="offset points", va="center")
        ax.axvline(1, color="black", linewidth=1, linestyle=":")
        ax.set(xscale="log", xlabel="our time over the peer's; left of 1, ours is faster")
        ax.set_yticks(range(len(found)), labels)
        ax.set_ylim(len(found) - 0.5, -0.5)
        ax.margins(x=0.1)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.xaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:e}"[0] in "25" else "")

    return figures.show(draw, f"Ratios of {', '.join(labels) or 'nothing'}.", (10, 1 + 0.22 * len(found)))
