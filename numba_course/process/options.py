"""The options of a compiled function as its decorator was given them."""

from __future__ import annotations

import re
from typing import Any


def given_options(dispatcher: Any) -> dict[str, Any]:
    """The target options of a compiled function as its decorator was given them, for one like it.

    Numba empties a dictionary that is given as `parallel` when it compiles for the first time; what was in it is
    then read in the symbol of what it compiled.
    """
    options = dict(dispatcher.targetoptions)
    if isinstance(options.get("parallel"), dict):
        options["parallel"] = dict(options["parallel"]) or _parallel_then(dispatcher)
    return options


def parallel_of(compiled: Any) -> dict[str, bool]:
    """What one specialisation was compiled with as `parallel`, as its symbol says."""
    from numba.core.compiler import Flags

    tags = compiled.fndesc.abi_tags
    found = re.search(r"ParallelOptions\((.*?)\)", Flags.demangle(tags[-1]) if tags else "")
    pairs = re.findall(r"(\w+)=(True|False)", found[1]) if found else []
    return {name: value == "True" for name, value in pairs if name != "enabled"}


def _parallel_then(dispatcher):
    """What a function was first compiled with as `parallel`; empty if it is not compiled."""
    first = next(iter(getattr(dispatcher, "overloads", {}).values()), None)
    return parallel_of(first) if first else {}
