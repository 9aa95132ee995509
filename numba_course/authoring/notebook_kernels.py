"""Kernels whose surroundings are always the same, for the build and the tests; a notebook run in one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager, KernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from numba_course.authoring.chapter_text import first_line
from numba_course.exercises import waiting
from numba_course.lens.errors import reason_after_kind
from numba_course.process.sandbox import Error

Manager = TypeVar("Manager", bound=KernelManager)
CELL_SECONDS = 180  # a cell that takes so long on a busy machine is a fault of the chapter
THREADS = 2  # the result of a floating-point reduction in a prange depends on it
# What would change outputs: proxies, which the first chapter reports, the user's Numba settings, and pytest's
# variables, on which ipykernel looks (with PYTEST_CURRENT_TEST it does not catch what C code prints).
DROPPED_PREFIXES = ("NUMBA_", "PYTEST_")
KEPT = ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")  # another processor changes no output; the tests ask for some
DROPPED = ("PYTHONWARNINGS", "FORCE_COLOR", "NO_COLOR", "PY_COLORS")


class ExecutionError(Exception):
    """A cell failed. The message names the cell and says why in one line."""


class _ThisPython(KernelSpecManager):
    """Finds one kernel: the Python that runs now, whatever kernels the user has installed."""

    def get_kernel_spec(self, kernel_name):
        return self.kernel_spec_class(resource_dir=RESOURCES, **get_kernel_dict())


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder with a short path for one kernel: its sockets and caches."""
    folder = tempfile.mkdtemp(prefix="nb-")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(folder: Path) -> dict[str, str]:
    """Environment variables of a kernel whose private folder is `folder`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if (name in KEPT or not name.startswith(DROPPED_PREFIXES))
        and name not in DROPPED
        and not name.lower().endswith("_proxy")
    }
    return (
        kept
        | {
            "NUMBA_NUM_THREADS": str(THREADS),
            "NUMBA_CACHE_DIR": str(folder / "numba"),  # of functions in files
            "IPYTHONDIR": str(folder / "ipython"),  # and of functions in cells; no start-up files of the user
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PYTHONHASHSEED": "0",
            "PYTHON_COLORS": "0",  # which stands above the FORCE_COLOR of ipykernel, in processes that a cell starts
            "COLUMNS": "80",
            waiting.SWITCH: "0",  # how long a check lasts is no output
        }
    )


def manager(kind: type[Manager], folder: Path) -> Manager:
    """A kernel manager of class `kind` that has not started its kernel."""
    made = kind(kernel_spec_manager=_ThisPython())
    if os.name == "posix":  # sockets in files: with TCP, two kernels may take the same port
        made.transport, made.ip = "ipc", str(folder / "s")
    return made


def start_options(folder: Path) -> dict[str, Any]:
    """Arguments for the manager's ``start_kernel``, besides the working directory."""
    return {"env": environment(folder), "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def death(manager: KernelManager) -> str:
    """How the kernel of this manager died, in words."""
    code: Any = getattr(getattr(manager.provisioner, "process", None), "returncode", None)
    try:
        name = f", {signal.Signals(-code).name}"
    except (TypeError, ValueError):
        name = ""
    return f"kernel died while running this cell (exit status {code}{name})"


async def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run all code cells of `notebook`, in place, in a fresh kernel whose working directory is `folder`.

    Raises
    ------
    ExecutionError
        At the first cell that raises, takes longer than `CELL_SECONDS` or kills the kernel.
    """
    with private_folder() as private:
        kernel = manager(AsyncKernelManager, private)
        client = NotebookClient(
            notebook,
            km=kernel,
            timeout=CELL_SECONDS,
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(folder)}},
        )
        try:
            await client.async_start_new_kernel(**start_options(private))
            await client.async_start_new_kernel_client()
            await _run_cells(client, notebook)
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            await kernel.shutdown_kernel(now=True)


async def _run_cells(client, notebook):
    number = 0
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        number += 1
        try:
            await client.async_execute_cell(cell, index)
        except CellExecutionError as error:
            reason = reason_after_kind(Error(error.ename, error.evalue))
        except CellTimeoutError:
            reason = f"it had not ended after {CELL_SECONDS} seconds"
        except DeadKernelError:
            reason = death(client.km)
        else:
            continue
        raise ExecutionError(f"code cell {number} {first_line(cell)}: {reason}")
