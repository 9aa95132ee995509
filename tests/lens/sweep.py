"""Calls from Numba's own tests and documentation examples, put through every instrument.

``python tests/lens/sweep.py 10`` does it for ten minutes and prints what was answered, refused and not checked;
it ends with status 1 if an instrument failed in a way that its documentation does not name.
"""

import os
import pickle
import random
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
from numba import _dispatcher
from numba.core.dispatcher import Dispatcher

from numba_course import lens

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
EACH = 12  # functions from one module
HARVESTING = 20  # seconds for one module
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
        if self.py_func.__code__ not in seen and not kwargs and len(found) < EACH:
            seen.add(self.py_func.__code__)
            with suppress(Exception):  # what cannot be pickled is not for the sweep
                found.append(cloudpickle.dumps((self, args)))
                Path(target).write_bytes(pickle.dumps([call for call in found if len(call) < LARGEST]))
        if len(found) == EACH:
            os._exit(0)
        return _dispatcher.Dispatcher.__call__(self, *args, **kwargs)

    Dispatcher.__call__ = record
    warnings.simplefilter("ignore")
    unittest.defaultTestLoader.loadTestsFromName(module).run(unittest.TestResult())


def harvested(modules):
    """(dispatcher, arguments) of all calls, pickled."""
    calls = []
    with tempfile.TemporaryDirectory() as folder:
        for module in modules:
            target = Path(folder) / module
            command = [sys.executable, __file__, "harvest", module, target]
            with suppress(subprocess.TimeoutExpired):
                subprocess.run(command, capture_output=True, timeout=HARVESTING, check=False)
            calls += pickle.loads(target.read_bytes()) if target.exists() else []
    return calls


def look(instrument, fn, args):
    """What one instrument says of a call: ``answered``, ``refused: ...``, ``not checked: ...`` or ``failed: ...``."""
    arguments = {"cache": (fn,), "compare": ({"it": fn}, *args)}.get(instrument, (fn, *args))
    try:
        report = getattr(lens, instrument)(*arguments)
        assert repr(report) and report._repr_html_().count("<div")
    except DOCUMENTED[instrument] as error:
        return f"refused: {error}" if "\n" not in str(error) else f"failed: several lines: {error}"
    except Exception as error:
        return f"failed: {type(error).__name__}: {error}"
    if getattr(report, "verdict", "") == "not checked":
        return f"not checked: {report.reason}"
    if instrument == "machine_code" and report.allocations is None:
        return f"answered, but: {' '.join(report.notes)}"
    return "answered"


def main(minutes):
    """Sweep for so many minutes and print the counts."""
    end = time.monotonic() + 60 * minutes
    modules = [f"numba.tests.test_{name}" for name in MODULES]
    calls = harvested(modules + [f"numba.tests.doc_examples.test_{name}" for name in EXAMPLES])
    random.Random(0).shuffle(calls)
    outcomes, done = defaultdict(Counter), 0
    for call in calls:
        if time.monotonic() > end:
            break
        fn, args = pickle.loads(call)
        for instrument in DOCUMENTED:
            outcomes[instrument][look(instrument, fn, args)] += 1
        done += 1
    print(f"{done} of {len(calls)} functions")
    for instrument, said in outcomes.items():
        kinds = Counter()
        for text, count in said.items():
            kinds[text.partition(":")[0]] += count
        print(f"\n{instrument}: {dict(kinds)}")
        for text, count in said.most_common():
            print(f"  {count:>4}  {text[:160]}")
    return any(text.startswith("failed") for said in outcomes.values() for text in said)


if __name__ == "__main__":
    if sys.argv[1] == "harvest":
        harvest(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main(float(sys.argv[1])))
