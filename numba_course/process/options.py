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


def _parallel_then(dispatcher):
    """What a function was first compiled with as `parallel`; empty if it is not compiled."""
    from numba.core.compiler import Flags

    first = next(iter(getattr(dispatcher, "overloads", {}).values()), None)
    tags = first.fndesc.abi_tags if first else ()
    found = re.search(r"ParallelOptions\((.*?)\)", Flags.demangle(tags[-1]) if tags else "")
    pairs = re.findall(r"(\w+)=(True|False)", found[1]) if found else []
    return {name: value == "True" for name, value in pairs if name != "enabled"}
