"""Whether this machine can run the course: six things tried for real, and for each fault its cure."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import socket
import sys
import urllib.request
import webbrowser
from dataclasses import dataclass, replace
from pathlib import Path

from numba_course import __version__
from numba_course.host import ROOT, installed, is_checkout, lacking, required
from numba_course.process import sandbox

COURSE = "numba-course"
MEMORY = 1 << 30  # bytes that should be free
PROBE = "doctor"  # key of the module that is cached
START = "let the course install what it needs: python3 -m numba_course start"
INSTALL = 'pip install "numba-course[course]"'
REINSTALL = f"make the environment anew: remove .venv and start again, or {INSTALL} in a new one"
OPENMP = "install OpenMP (Linux: package libgomp1; macOS: package libomp or llvm-openmp), or pip install tbb"
JIT = "remove the setting NUMBA_DISABLE_JIT"
CACHE = "let the setting NUMBA_COURSE_CACHE name a folder that you may write to"
SEND = "send the report to your instructor: python3 -m numba_course doctor --report"
SETTINGS = re.compile(r"(?i)^(NUMBA_\w+|OMP_\w+|\w+_PROXY|JUPYTER\w*|IPYTHONDIR|PYTHON\w+)$")


@dataclass(frozen=True)
class Line:
    """One thing that was tried: what, its tone (``good``, ``warn`` or ``bad``), what was seen, and the cures."""

    topic: str
    tone: str
    seen: str
    cures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """What was tried, line by line."""

    lines: tuple[Line, ...]

    @property
    def healthy(self) -> bool:
        """Whether the course can be run: nothing is ``bad``."""
        return all(line.tone != "bad" for line in self.lines)

    def _marked(self):
        for line in self.lines:
            yield line.tone, f"{line.topic}: {line.seen}"
            yield from (("plain", f"→ {cure}") for cure in line.cures)

    def __repr__(self) -> str:
        from numba_course.lens.html import TONES

        return "\n".join(f"{TONES[tone][0] or ' '} {text}" for tone, text in self._marked())

    def _repr_html_(self):
        from numba_course.lens import html

        tone = next(tone for tone in ("bad", "warn", "good") if tone in {line.tone for line in self.lines})
        body = "".join(f"<div>{html.mark(tone, text)}</div>" for tone, text in self._marked())
        return html.card("Is everything here?", tone, body)

    def report(self) -> str:
        """All of it with the versions and settings of this machine, to be sent to someone who can help."""
        versions = {line.name: _version(line.name) for line in [*required(), *required("course")]}
        settings = {name: value for name, value in sorted(os.environ.items()) if SETTINGS.match(name)}
        facts = {
            COURSE: __version__,
            "Python": f"{platform.python_version()} ({sys.executable})",
            "system": f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} processors",
            **versions,
            **settings,
        }
        text = "\n".join([repr(self), "", *(f"{name}: {value}" for name, value in facts.items())])
        text = re.sub(r"//[^/@\s]+@", "//…@", text)  # passwords of proxies
        return plain(text.replace(str(Path.home()), "~"))


def examine() -> Diagnosis:
    """Try everything.

    Returns
    -------
    Diagnosis
        Nothing raises here, and nothing needs a network.

    Notes
    -----
    About 5 seconds; what is compiled runs in child processes, so that a crash is a line and not an end. Where the
    package was installed without the extra ``course``, what needs that is not tried.
    """
    probes = PROBES[:-2] if _without_the_course() else PROBES
    return Diagnosis(tuple(_guarded(*probe) for probe in probes))


def plain(text: str) -> str:
    """A text without the marks around what differs from machine to machine."""
    return text.replace("⟨", "").replace("⟩", "")


def _guarded(topic, probe):
    """The line of a probe, whatever becomes of it."""
    try:
        seen, faults = probe()
    except Exception as error:
        seen, faults = f"this could not be tried ({type(error).__name__}: {error})", [("bad", "", SEND)]
    sentences = [sentence for _, sentence, _ in faults if sentence]
    tone = min((tone for tone, _, _ in faults), key=("bad", "warn").index, default="good")
    return Line(topic, tone, "; ".join(sentences) or seen, tuple(dict.fromkeys(cure for *_, cure in faults)))


# Each probe gives what it saw, and its faults: tone, sentence, cure.


def _packages():
    wrong = [*lacking(), *_lacking_for_the_course()]
    if _without_the_course():
        names = ", ".join(line.name for line in wrong)
        said = [f"lens, kernels and pipeline can be used, but the course also needs {names}"]
    else:
        said = [f"{line.name} is {_version(line.name)}, but {line} is needed" for line in wrong]
    cure = START if is_checkout(ROOT) else INSTALL
    seen = f"Python ⟨{platform.python_version()}⟩, Numba ⟨{_version('numba')}⟩, NumPy ⟨{_version('numpy')}⟩"
    return seen, [("bad", sentence, cure) for sentence in said]


def _lacking_for_the_course():
    """What is lacking of the extra ``course``; where another Jupyter runs this kernel, JupyterLab is not."""
    return [line for line in lacking("course") if line.name != "jupyterlab" or not _another_jupyter()]


def _another_jupyter():
    """Whether a kernel runs this, as in a hosted notebook, and there is no JupyterLab beside it."""
    return "ipykernel" in sys.modules and not installed("jupyterlab")


def _without_the_course():
    """Whether the package was installed for its lens, kernels and pipeline alone."""
    absent = any(not installed(line.name) for line in _lacking_for_the_course())
    return absent and not is_checkout(ROOT) and not lacking()


def _compiler():
    found, fault = _in_child(_compile_one)
    if fault:
        return "", fault
    result, disabled = found
    faults = [] if result == 7 else [("bad", f"a compiled function gave {result}, not 7", REINSTALL)]
    faults += [("bad", "the setting NUMBA_DISABLE_JIT lets nothing be compiled", JIT)] if disabled else []
    return "a function was compiled, and its result is right", faults


def _threads():
    found, fault = _in_child(_run_parallel)
    if fault:
        return "", fault
    total, layer, threads = found
    faults = [] if total == 1000 else [("bad", f"a parallel loop gave {total}, not 1000", REINSTALL)]
    if layer == "workqueue":
        cure = (
            "remove the setting NUMBA_THREADING_LAYER" if os.environ.get("NUMBA_THREADING_LAYER") else OPENMP
        )
        said = "there is no OpenMP, so that parallel code must be called from one Python thread at a time"
        faults.append(("warn", said, cure))
    if threads == 1:
        setting = "NUMBA_NUM_THREADS" if os.environ.get("NUMBA_NUM_THREADS") else ""
        cure = (
            f"remove the setting {setting}"
            if setting
            else "give this machine a second processor, if it is virtual"
        )
        faults.append(("warn", "there is one thread only, so that no parallel loop will be faster", cure))
    return f"a parallel loop ran on ⟨{threads}⟩ threads, by ⟨{layer}⟩", faults


def _cache():
    try:
        found = [_in_child(_run_cached, seconds=60) for _ in range(2)]
    finally:
        _forget_cached()
    faults = [("bad", sentence, CACHE) for _, fault in found for _, sentence, _ in fault][:1]
    if not faults and not found[1][0]:
        faults = [("warn", "a second process compiled again what the first had stored", SEND)]
    return "a second process loaded what the first one had compiled", faults


def _checks():
    import psutil

    from numba_course import exercises

    free = psutil.virtual_memory().available
    question = replace(exercises.get("double"))  # a copy, so that the learner's own remembers nothing of it
    verdict = question.examine(question.reference)
    cure = JIT if verdict.status == "not compiled" else SEND
    faults = [] if verdict.passed else [("bad", f"a right answer got the verdict: {verdict!r}", cure)]
    if free < MEMORY:
        said = f"only ⟨{free / 2**20:.0f}⟩ MiB of memory are free"
        faults.append(("warn", said, "close other programs, and the kernels that you do not need"))
    return f"an answer was checked in a process apart; ⟨{free / 2**30:.0f}⟩ GiB of memory are free", faults


def _lab():
    if _another_jupyter():
        return "the Jupyter that shows this notebook will do", []
    faults = []
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=5).close()
    except OSError as error:
        cure = "let your firewall allow connections of this machine to itself (127.0.0.1)"
        faults.append(("bad", f"no program can reach JupyterLab on this machine ({error.strerror})", cure))
    if urllib.request.getproxies() and not urllib.request.proxy_bypass("127.0.0.1"):
        cure = "set NO_PROXY to localhost,127.0.0.1 and start again"
        faults.append(("warn", "a proxy stands between this machine and itself", cure))
    if "ipykernel" not in sys.modules:  # where there is a kernel, it is the right one, and so is its browser
        faults += [*_wrong_kernel(), *_no_browser()]
    return f"version ⟨{_version('jupyterlab')}⟩ can be opened; no network is needed", faults


def _wrong_kernel():
    from jupyter_client.kernelspec import KernelSpecManager

    python = KernelSpecManager().get_kernel_spec("python3").argv[0]
    found = shutil.which(python) or python
    if not re.fullmatch(r"python[\d.]*", python) and Path(found).resolve() != Path(sys.executable).resolve():
        cure = "open the course with  python3 -m numba_course start, which picks the right one"
        yield (
            "warn",
            f"elsewhere Jupyter's kernel python3 is {python}, which is not the course's Python",
            cure,
        )


def _no_browser():
    try:
        webbrowser.get()
    except webbrowser.Error:
        cure = "copy the address that  python3 -m numba_course start  prints into a browser"
        yield "warn", "no browser was found", cure


PROBES = (
    ("packages", _packages),
    ("compiler", _compiler),
    ("threads", _threads),
    ("cache", _cache),
    ("checks", _checks),
    ("JupyterLab", _lab),
)


def _version(name):
    """The installed version of a package."""
    return getattr(installed(name), "version", "missing")


def _in_child(function, seconds=30):
    """What a function returns in a child process, and the faults if it does not."""
    outcome = sandbox.run(function, seconds=seconds)
    if outcome.ended == "returned":
        return outcome.value, []
    said = outcome.error.message.strip().splitlines() if outcome.error else []
    said = (
        f"{outcome.error.kind}: {said[0] if said else ''}"
        if outcome.error
        else f"the process {outcome.ended}"
    )
    return None, [("bad", said, REINSTALL)]


# What runs in the child processes.


def _compile_one():
    from numba import config, njit

    return njit(lambda x: x + 3)(4), bool(config.DISABLE_JIT)


def _run_parallel():
    import numba

    @numba.njit(parallel=True)
    def count(n):
        total = 0
        for _ in numba.prange(n):
            total += 1
        return total

    return count(1000), numba.threading_layer(), numba.get_num_threads()


def _run_cached():
    """Call a cached function in a module where the course keeps its own; whether the cache had it already."""
    from numba_course.pipeline import modules

    text = "from numba import njit\n\n\n@njit(cache=True)\ndef add(x):\n    return x + 1\n"
    module = modules.load_module(PROBE, text)
    module.add(1)
    return not hasattr(module.add, "stats") or bool(
        module.add.stats.cache_hits
    )  # or nothing is compiled at all


def _forget_cached():
    """Remove what `_run_cached` has stored."""
    from numba_course.pipeline import modules

    folders = [modules.folder(), modules.folder() / "__pycache__"]
    if os.environ.get("NUMBA_CACHE_DIR"):
        folders += Path(os.environ["NUMBA_CACHE_DIR"]).glob("*")
    for folder in folders:
        with contextlib.suppress(OSError):
            for path in folder.glob(f"numba_course_pipeline_{PROBE}.*"):
                path.unlink()
