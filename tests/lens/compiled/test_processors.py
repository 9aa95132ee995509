"""The lens on each kind of x86-64: what is compiled for it is looked at, and never called.

Whole files are run as on another processor by ``python -m numba_course test -- --processor haswell tests/...``.
"""

import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from numba_course import exercises
from numba_course.authoring import notebook_kernels
from numba_course.lens.compiled.machine_code import report
from numba_course.process import sandbox
from tests import processors
from tests.lens.compiled import disassembly, looked_at

pytestmark = [
    pytest.mark.looks_only,
    pytest.mark.skipif(not processors.IS_X86_64, reason="compiles for x86-64"),
]
BITS = {"generic": 128, "haswell": 256, "znver3": 256, "skylake-avx512": 256, "znver4": 512}
SIZES = {"float64": 64, "float32": 32, "int64": 64, "int32": 32, "int8": 8}
WITNESSED = [  # the disassembler's arithmetic is that of floats
    name
    for name, case in looked_at.CASES.items()
    if not case.unreached and not (case.element or "").startswith("int")
]
each_processor = pytest.mark.parametrize("processor", processors.PROCESSORS)


@pytest.fixture(scope="module")
def compilations():
    """(compilation, object code, report) of each case by processor, from a process that was not told of another."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_CPU")}
    command = [sys.executable, "-m", "tests.lens.compiled.looked_at"]
    found = pickle.loads(subprocess.run(command, env=variables, check=True, stdout=subprocess.PIPE).stdout)
    return {
        processor: {case: (*compiled, report(compiled[0])) for case, compiled in cases.items()}
        for processor, cases in found.items()
    }


@pytest.mark.parametrize("case", looked_at.CASES)
@each_processor
def test_the_lens_says_what_became_of_it(compilations, processor, case):
    expected, seen = looked_at.CASES[case], compilations[processor][case][2]
    states = expected.states_on(processor)
    computes = expected.element is not None and "packed" in states
    assert [loop.state for loop in seen.loops] == states
    assert seen.element_type == (expected.element if computes else None)
    assert seen.vector_width == (BITS[processor] // SIZES[expected.element] if computes else 1)
    assert bool(seen.packed) == computes
    assert seen.fused == (expected.fuses and processor != "generic")


@pytest.mark.parametrize("case", WITNESSED)
@each_processor
@disassembly.needs_objdump
def test_a_disassembler_finds_the_same_width(compilations, processor, case, tmp_path):
    compilation, code, seen = compilations[processor][case]
    instructions = disassembly.disassembled(code, compilation.symbol, tmp_path)
    assert disassembly.width(instructions) == (seen.vector_width, seen.element_type)


@each_processor
def test_nothing_of_the_processor_at_hand_is_mixed_in(compilations, processor):
    text = "\n".join(compilation.assembly for compilation, *_ in compilations[processor].values())
    used = {register for register in "xyz" if re.search(rf"%{register}mm\d", text)}
    assert max(used) == {128: "x", 256: "y", 512: "z"}[BITS[processor]]
    assert bool(re.search(r"\tv\w+\s.*%xmm", text)) == (processor != "generic")
    assert bool(re.search(r"\tvfn?m(add|sub)", text)) == (processor != "generic")
    assert bool(re.search(r"%k[0-7]", text)) == ("avx512f" in processors.PROCESSORS[processor])


def test_whatever_a_test_starts_compiles_for_the_same_processor(pytestconfig, tmp_path):
    name = pytestconfig.option.processor
    if name and processors.lacking(name):
        pytest.skip("whatever the fork server starts has run something")
    program = "from tests.processors import told; print(*told(), sep='\\n')"
    output = subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    told = processors.told()
    assert told == sandbox.run(processors.told, seconds=60).value == tuple(output.splitlines())
    chosen = {
        key: value
        for key, value in notebook_kernels.environment(tmp_path).items()
        if key in notebook_kernels.KEPT
    }
    assert chosen == {key: value for key, value in os.environ.items() if key in notebook_kernels.KEPT}
    if name:
        assert chosen == processors.environment(name) and told == tuple(chosen.values())


def test_the_weekly_run_is_on_all_of_them_and_has_all_answers_of_its_chapters():
    job = (Path(__file__).parents[3] / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    (matrix,) = re.findall(r"processor: \[(.*)\]", job)
    assert matrix.split(", ") == list(processors.PROCESSORS)
    chapters = [chapter for chapter in exercises.by_chapter() if f"solutions/{chapter}.ipynb" in job]
    assert [chapter[:2] for chapter in chapters] == ["04", "05", "07", "11"]
    names = [exercise.name for chapter in chapters for exercise in exercises.by_chapter()[chapter]]
    chosen = re.split(r"\s+or\s+", re.search(r'-k "not test_bank or ([^"]*)"', job)[1])
    assert [name for name in names if not any(part in name for part in chosen)] == []


SEARCH = """
import numpy as np
from numba import njit
from numba_course import lens

known = np.arange(1024.0)

@njit
def place(wanted):
    for i in range(1024):
        if known[i] == wanted:
            return i
    return -1

print(*(loop.state for loop in lens.stages(place, 3.0).loops))
"""


@pytest.mark.parametrize("processor", ["generic", "haswell"])
def test_a_packed_comparison_without_a_line_is_not_called_scalar(processor, tmp_path):
    (tmp_path / "search.py").write_text(SEARCH)
    variables = {**os.environ, **processors.environment(processor)}
    command = [sys.executable, str(tmp_path / "search.py")]
    done = subprocess.run(command, env=variables, check=True, capture_output=True, text=True)
    assert done.stdout.strip() in ("not known", "packed")
