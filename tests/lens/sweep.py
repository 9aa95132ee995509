"""Calls from Numba's own tests and documentation examples, put through every instrument.

``python tests/lens/sweep.py 10`` does it for ten minutes, harvesting not included, and prints what was answered,
refused and not checked; with a file as a second argument, such as ``docs/refusals.md``, it writes the table there. It
ends with status 1 if an instrument failed in a way that its documentation does not name. Functions are taken in an
order that is always the same, as many as there is time for; each goes through the quick instruments, and one of the
others. `races` gets it compiled with ``parallel=True``, as most of them are not.
"""

import os
import pickle
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
import unittest
import warnings
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path

import cloudpickle
from numba import _dispatcher, jit
from numba.core.dispatcher import Dispatcher

from numba_course import lens
from numba_course.lens.compiled.dispatchers import compiled_for, is_parallel, rebuilt

MODULES = """
    array_exprs array_iterators array_manipulation array_methods buffer_protocol builtins casting closure complex
    comprehension debug dictobject dispatcher dyn_array enums errorhandling exceptions extending firstlineno
    flow_control generators gil heapq indexing inlining iteration jitclasses linalg listobject lists
    literal_dispatch looplifting mandelbrot mathlib nan np_functions optional parfors parallel_backend print range
    record_dtype recursion reductions remove_dead sets slices sort ssa svml try_except tuples typedlist typeof
    types unicode withlifting
""".split()
EXAMPLES = """
    examples interval_example jitclass literal_container_usage literally_usage numpy_generators
    parallel_chunksize rec_array structref_usage typed_dict_usage typed_list_usage typed_set_usage
""".split()
EACH = 40  # functions from one module
HARVESTING = 20  # seconds of processor time for one module, which a busy machine may stretch
STRETCHED = 10  # times as long
QUICK = ("types", "stages", "machine_code", "races", "cache")
SLOW = ("gil", "compare")  # they take turns
LARGEST = 1 << 20  # bytes of a pickled call

DOCUMENTED = {  # what an instrument may raise
    "types": (TypeError, ValueError),
    "stages": (TypeError, ValueError),
    "machine_code": (TypeError, ValueError),
    "races": (TypeError,),
    "gil": (TypeError, RuntimeError),
    "cache": (TypeError,),
    "compare": (TypeError, ValueError, RuntimeError),
}


def harvest(module, target):
    """In a process of its own: run a module's tests and write down the first call of each dispatcher."""
    found, seen = [], set()

    def record(self, *args, **kwargs):
        if self.py_func.__code__ in seen:
            return _dispatcher.Dispatcher.__call__(self, *args, **kwargs)
        seen.add(self.py_func.__code__)
        call, ran = None, False
        with suppress(Exception):  # what cannot be called so, or be pickled, is not for the sweep
            bound = self._compiler.pysig.bind(*args, **kwargs)
            call = None if bound.kwargs else cloudpickle.dumps((self, bound.args))
        try:
            result = _dispatcher.Dispatcher.__call__(self, *args, **kwargs)
            ran = True
            return result
        finally:
            if call and len(call) < LARGEST:
                found.append((call, ran))
                Path(f"{target}.new").write_bytes(pickle.dumps(found))
                os.replace(f"{target}.new", target)  # whole at any time: a test may end the process
            if len(found) == EACH or time.process_time() > HARVESTING:
                os._exit(0)

    Dispatcher.__call__ = record
    warnings.simplefilter("ignore")
    unittest.defaultTestLoader.loadTestsFromName(module).run(unittest.TestResult())


def harvested(modules):
    """(dispatcher and arguments, pickled; whether the call came to its end) of all calls."""
    calls = []
    with tempfile.TemporaryDirectory() as folder:
        for module in modules:
            target = Path(folder) / module
            command = [sys.executable, __file__, "harvest", module, target]
            with suppress(subprocess.TimeoutExpired):
                subprocess.run(command, capture_output=True, timeout=STRETCHED * HARVESTING, check=False)
            calls += pickle.loads(target.read_bytes()) if target.exists() else []
    return calls


def in_parallel(fn):
    """The same function compiled with ``parallel=True``, where it may be."""
    if not fn._can_compile or is_parallel(fn) or fn.targetoptions.get("forceobj"):
        return fn
    return jit(**{**fn.targetoptions, "parallel": True})(fn.py_func)


def look(instrument, fn, args):
    """What one instrument says of a call: ``answered``, ``refused: ...``, ``not checked: ...`` or ``failed: ...``."""
    fn = in_parallel(fn) if instrument == "races" else fn
    arguments = {"cache": (fn,), "compare": ({"it": fn}, *args)}.get(instrument, (fn, *args))
    try:
        report = getattr(lens, instrument)(*arguments)
        assert repr(report) and report._repr_html_().count("<div")
    except DOCUMENTED[instrument] as error:
        return f"refused: {error}" if "\n" not in str(error) else f"failed: several lines: {error}"
    except Exception as error:
        return f"failed: {type(error).__name__}: {error}"
    if getattr(report, "verdict", "") == "not checked":
        said = "failed" if report.reason.startswith("our bug") else "not checked"
        return f"{said}: {report.reason}"
    if instrument == "machine_code" and report.allocations is None:
        return f"answered, but: {' '.join(report.notes)}"
    return "answered"


def swept(minutes):
    """Counts of what each instrument says, how many functions were looked at in so many minutes, and of how many."""
    modules = [f"numba.tests.test_{name}" for name in MODULES]
    calls = harvested(modules + [f"numba.tests.doc_examples.test_{name}" for name in EXAMPLES])
    random.Random(0).shuffle(calls)
    outcomes, done, end = defaultdict(Counter), 0, time.monotonic() + 60 * minutes
    for call, ran in calls:
        if time.monotonic() > end:
            break
        with suppress(Exception):  # what its test registers with Numba is not there, or was lost on the way
            fn, args = pickle.loads(call)
            if ran:
                compiled_for(rebuilt(fn), args)
            for instrument in (*QUICK, SLOW[done % len(SLOW)]):
                said = look(instrument, fn, args)
                outcomes[instrument][said] += 1
                if said.startswith("failed"):
                    print(
                        f"{instrument} of {fn.py_func.__module__}.{fn.py_func.__qualname__} {said}",
                        flush=True,
                    )
            done += 1
    return outcomes, done, len(calls)


def kind_of(text):
    """What is common to what is said of several functions: without names, numbers, types and what is quoted."""
    for pattern, replacement in (
        (r"does not compile: .*", "does not compile"),
        (r"^(refused|not checked|answered, but): (?:lens\.)?(?:\w+: )?", ""),
        (r"⟨.*?⟩|'[^']*'|\([^()]*\)", "…"),
        (r"^\S+ (does not compile|failed in)", r"\1"),
        (r"(failed in [\w ]+|failed): .*", r"\1"),
        (r"\bline \d+", "line …"),
        (r"\d+", "…"),
    ):
        text = re.sub(pattern, replacement, text)
    return text[:110]


def table(outcomes, done, there_are):
    """The refusals by instrument and reason, with counts and one example each, as a page."""
    import numba

    yield "# What the lens refuses\n"
    yield "What the instruments of `numba_course.lens` said of functions from Numba's own tests and documentation, each"
    yield "with the arguments that it gets there; `races` gets each compiled with `parallel=True`. This page is made"
    yield "anew by `python tests/lens/sweep.py MINUTES docs/refusals.md`; do not edit it.\n"
    python = ".".join(platform.python_version_tuple()[:2])
    yield f"Looked at: {done} of {there_are} functions, with Numba {numba.__version__} on Python {python}.\n"
    yield "| Instrument | Answered | Not checked | Refused | Failed |"
    yield "|---|---|---|---|---|"
    for instrument, said in sorted(outcomes.items()):
        kinds = Counter()
        for text, count in said.items():
            kinds[text.partition(":")[0].partition(",")[0]] += count
        counts = [str(kinds[kind]) for kind in ("answered", "not checked", "refused", "failed")]
        yield f"| {instrument} | {' | '.join(counts)} |"
    yield "\nAn instrument *refuses* a call with an exception of one line, and has *not checked* it if it answers that"
    yield "it cannot tell; both give a reason. That something *failed* is a defect of ours. Many of these functions are"
    yield "there because they are unusual, or must not compile.\n"
    yield "| Instrument | Reason | Functions | Example |"
    yield "|---|---|---|---|"
    for instrument, said in sorted(outcomes.items()):
        groups = defaultdict(Counter)
        for text, count in said.items():
            if text != "answered":
                groups[kind_of(text)][text] += count
        for kind, texts in sorted(groups.items(), key=lambda group: (-group[1].total(), group[0])):
            example = min(texts).partition(": ")[2]
            yield f"| {instrument} | {cell(kind)} | {texts.total()} | {cell(example, 160)} |"


def cell(text, width=110):
    """A text as it may stand in a table."""
    text = re.sub(r"0x[0-9a-f]+", "0x…", " ".join(text.split()))
    text = text if len(text) <= width else text[: width - 1] + "…"
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def main(minutes, page=None):
    """Sweep for so many minutes; print the counts, and write the page."""
    outcomes, done, there_are = swept(minutes)
    print(f"{done} of {there_are} functions")
    for instrument, said in outcomes.items():
        kinds = Counter()
        for text, count in said.items():
            kinds[text.partition(":")[0]] += count
        print(f"\n{instrument}: {dict(kinds)}")
        for text, count in said.most_common():
            print(f"  {count:>4}  {text[:240]}")
    if page:
        Path(page).write_text("\n".join(table(outcomes, done, there_are)) + "\n", encoding="utf-8")
    return any(text.startswith("failed") for said in outcomes.values() for text in said)


if __name__ == "__main__":
    if sys.argv[1] == "harvest":
        harvest(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main(float(sys.argv[1]), *sys.argv[2:]))
