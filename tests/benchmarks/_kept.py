"""The file in which results are kept: Markdown, a section for each kernel and processor that Numba compiled for."""

import contextlib
import importlib.metadata
import platform
import re
from pathlib import Path

from numba.core.registry import cpu_target

HEAD = """# What was measured of the kernels

Made by `python3 -m numba_course bench KERNEL --threads 1 --table docs/benchmarks.md`, which replaces the section of
what it measures; do not edit it. A ratio is our time over the peer's, the median over rounds in which all took turns in
one process, with what lies between the 10th and the 90th percentile: below 1, ours is faster. A section says for which
processor Numba compiled; the peers had all that the machine has.
"""


def with_section(text, kernel, results, packages):
    """The text of the file with a section on what was measured here, in place of the former one on the same.

    Parameters
    ----------
    text : str
        Of the file; empty if there is none.
    kernel : str
    results : sequence of harness.Result
    packages : sequence of str
        Distributions whose versions are told.
    """
    _, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    kept = {section.splitlines()[0]: section.rstrip() for section in sections}
    _, processor, _ = cpu_target.target_context.codegen().magic_tuple()
    heading = f"## {kernel}, compiled for {processor}"
    kept[heading] = "\n".join([heading, "", _circumstances(packages), "", *_table(results)])
    return "\n\n".join([HEAD.rstrip(), *(kept[name] for name in sorted(kept))]) + "\n"


def _circumstances(packages):
    versions = [f"Python {platform.python_version()}"]
    for name in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    return f"{_model()}; {', '.join(versions)}."


def _model():
    """The processor, as Linux calls it; elsewhere its kind."""
    with contextlib.suppress(OSError, AttributeError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        return re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)[1]
    return platform.machine()


def _table(results):
    yield "| case | threads | peer | ours/peer | 10–90 % | ours, ms | |"
    yield "|---|---:|---|---:|---:|---:|---|"
    for r in results:
        ratio = ("", "", "")
        if r.ratio is not None:
            ratio = f"{r.ratio:.2f}", f"{r.low:.2f}–{r.high:.2f}", f"{r.seconds * 1e3:.4g}"
        remark = (r.trouble or r.noisy).replace("|", r"\|")
        yield f"| {' | '.join([r.case, str(r.threads), r.peer, *ratio, remark])} |"
