"""How pytest runs the notebooks: in kernels like the build's, a dead one noticed, only ⟨ ⟩ not compared.

``--processor NAME`` runs any test or notebook as on another kind of x86-64.
"""

import gc
import os
import sys
import time
from contextlib import ExitStack
from queue import Empty

import pytest

from numba_course import exercises
from numba_course.process import sandbox
from tests import processors

# Files of few tests that last. They begin, and what is short comes last: so both processes end at the same time.
LONG = (
    "test_browser",
    "test_nbval_canary",
    "test_benchmarks",
    "tests/kernels/",
    "tests/lens/race/",
    "test_doctor",
    "tests/launch/",
    "test_cluster",
    ".ipynb",
    "tests/pipeline/",
    "test_bank",
)


@pytest.fixture(scope="module")
def generated_modules(tmp_path_factory):
    """The modules that pipelines generate go to a folder of their own, and are forgotten with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_COURSE_CACHE", str(tmp_path_factory.mktemp("generated modules")))
        before = set(sys.modules)
        yield
    for name in set(sys.modules) - before:
        if name.startswith("numba_course_pipeline_"):
            del sys.modules[name]


def pytest_addoption(parser):
    parser.addoption(
        "--processor", choices=processors.PROCESSORS, help="compile for this x86-64, not for the one at hand"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.addinivalue_line(
        "markers", "looks_only: compiles for the chosen processor, and runs nothing of it"
    )
    if processor := config.option.processor:
        os.environ.update(processors.environment(processor))  # for child processes and kernels, too
        if "numba" in sys.modules:
            sys.modules["numba"].config.reload_config()
    sandbox.preload([exercises.WARM, "tests.warm"], exercises.WARM_ARRAYS)  # before a child is asked for
    if getattr(config.option, "nbval", False):  # absent where the plugin is switched off
        import nbval.plugin

        from numba_course.authoring.notebook_kernels import CELL_SECONDS

        config.option.nbval_cell_timeout = CELL_SECONDS
        nbval.plugin.RunningKernel = _kernel_class()


def pytest_collection_modifyitems(config, items):
    processor = config.option.processor
    if missing := processor and processors.lacking(processor):
        reason = f"code for {processor} cannot run here: this machine has no {', '.join(missing)}"
        for item in items:
            if not item.get_closest_marker("looks_only"):
                item.add_marker(pytest.mark.skip(reason=reason))
    items.sort(
        key=lambda item: next((n for n, long in enumerate(LONG) if long in item.path.as_posix()), len(LONG))
    )


def pytest_collection_finish():
    gc.freeze()  # thousands of tests are collected: the compiler makes enough garbage without looking through them


def pytest_collectstart(collector):
    if hasattr(collector, "sanitize_patterns"):  # a notebook
        from numba_course.authoring.stored_outputs import VOLATILE

        collector.sanitize_patterns.update(VOLATILE)


def _kernel_class():
    """nbval's kernel, started as the build starts one, and watched while a cell runs."""
    from jupyter_client.manager import KernelManager
    from nbval.kernel import RunningKernel

    from numba_course.authoring import notebook_kernels

    class WatchedKernel(RunningKernel):
        def __init__(self, kernel_name, cwd=None, startup_timeout=60):
            self.leftovers = ExitStack()
            private = self.leftovers.enter_context(notebook_kernels.private_folder())
            self.km = notebook_kernels.manager(KernelManager, private)
            self.km.start_kernel(cwd=cwd, **notebook_kernels.start_options(private))
            self.kc = self.km.client()
            self.kc.start_channels()
            try:
                self.kc.wait_for_ready(timeout=startup_timeout)
                self._ensure_iopub_up()
            except BaseException:
                self.stop()
                raise

        def await_reply(self, msg_id, timeout=None):
            end = time.monotonic() + timeout
            while True:
                try:
                    return super().await_reply(msg_id, timeout=0.5)
                except Empty:
                    if not self.is_alive():
                        reason = notebook_kernels.death(self.km)
                        self.stop()
                        raise RuntimeError(reason) from None
                    if time.monotonic() > end:
                        raise

        def stop(self):
            super().stop()
            self.leftovers.close()

    return WatchedKernel
