"""What the shared checks let pass: dtypes, and threads, which end some processes, as docs/threads.md says."""

import importlib.util
import inspect
import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from numba_course import kernels
from numba_course.host import ROOT

PROGRAM = """if True:
    import os, signal, sys, threading, warnings
    import numba, numpy as np
    from numba_course import kernels

    warnings.simplefilter("ignore")
    values = np.ones(20_000)

    def of_child(threads):
        child = os.fork()
        if not child:
            kernels.sum(values, threads)
            os._exit(0)
        return os.waitpid(child, 0)[1]

    def from_two(threads):
        def call():
            for _ in range(2000):
                kernels.sum(values, threads)
        callers = [threading.Thread(target=call) for _ in range(2)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()

    kernels.sum(values, 2)
    assert numba.threading_layer() == sys.argv[1]
    from_two(1)
    print("alone", of_child(1), "child", of_child(2) if hasattr(os, "fork") else 0, flush=True)
    from_two(2)
    print("two callers", flush=True)
"""


def runs_with(layer):
    """What the program prints with a threading layer, and its exit code."""
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, layer],
        env={**os.environ, "NUMBA_THREADING_LAYER": layer, "NUMBA_NUM_THREADS": "2"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    return run.stdout.split("\n"), run.returncode


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="needs the compiler")
@pytest.mark.skipif(
    sys.platform != "linux" or not importlib.util.find_spec("numba.np.ufunc.omppool"),
    reason="needs Linux, where OpenMP is GNU's, and a Numba that has it",
)
def test_gnu_openmp_ends_the_child_of_a_fork_and_knows_threads():
    shown, code = runs_with("omp")
    assert shown[:2] == ["alone 0 child 15", "two callers"]  # SIGTERM
    assert code == 0


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="needs the compiler")
@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_workqueue_survives_a_fork_and_aborts_if_two_threads_call():
    shown, code = runs_with("workqueue")
    assert shown[0] == "alone 0 child 0"
    assert code != 0
    assert "two callers" not in shown


def test_each_kernel_that_takes_threads_names_the_page():
    assert (ROOT / "docs/threads.md").is_file()
    for name in kernels.__all__:
        kernel = getattr(kernels, name)
        assert "threads" in inspect.signature(kernel).parameters
        assert "docs/threads.md" in kernel.__doc__


@pytest.mark.parametrize("code", ["u1", "f4", "f8"])
def test_a_dtype_with_fields_is_refused_though_it_equals_the_plain_one(code):
    dtype = np.dtype((code, [("all", code)]))
    assert dtype == np.dtype(code)
    image, plain = np.zeros((3, 3), dtype), np.zeros((3, 3), code)
    message = r"image must be of dtype uint8, float32 or float64, not \(numpy\.\w+, \[\('all', '.*'\)\]\)"
    with pytest.raises(TypeError, match=message):
        kernels.bilinear_resize(image, 2, 2)
    with pytest.raises(TypeError, match=rf"out must be of dtype {plain.dtype}, not \(numpy"):
        kernels.bilinear_resize(plain, 3, 3, image)


@pytest.mark.parametrize("code", ["f8", ">f8"])
def test_what_else_a_dtype_says_does_not_count(code):
    values = np.arange(20.0).astype(np.dtype(code, metadata={"unit": "m"}))
    assert kernels.sum(values) == 190
    assert np.array_equal(kernels.moving_average(values, 3), np.arange(1.0, 19))
    assert kernels.histogram(values, 2, 0, 20).tolist() == [10, 10]
    assert np.array_equal(kernels.bilinear_resize(values.reshape(4, 5), 4, 5), values.reshape(4, 5))
