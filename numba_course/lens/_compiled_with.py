"""What cached machine code was compiled with, as its symbols say: callees, their defaults, options of the decorator."""

from __future__ import annotations

import re
import types
from typing import Any

import numba
from numba.core.compiler import Flags
from numba.core.dispatcher import Dispatcher
from numba.core.itanium_mangler import mangle_identifier, mangle_type

ENVIRONMENT = "_ZN08NumbaEnv"
OMITTED = re.compile(
    r"(?:_29)?(\d+)omitted_28default_3d"
)  # _29 is the parenthesis that ends what comes before
NAMES = {
    "release_gil": "nogil",
    "auto_parallel": "parallel",
    "debuginfo": "debug",
}  # of options in the decorator
# What a function that says nothing of it takes from the one whose call has it compiled. The other that is no option of
# its own, enable_ssa, Numba turns off where it inlines something.
INHERITED = frozenset({"fastmath", "error_model", "forceinline", "nrt"})
OWN_OPTION = re.compile(rf"(?:^Flags\(|, )(?=(?:{'|'.join(Flags.options)})=)")


def other_options(fn: Dispatcher, text: str) -> list[str]:
    """Options of the decorator with other values than those with which a function in the cache was compiled.

    Parameters
    ----------
    fn : Dispatcher
    text : str
        The strings in its data file.

    Returns
    -------
    list of str
        None of them if it is not known with which it was compiled.
    """
    then = _options_then(fn.py_func, text)
    if then is None:
        return []
    options = {name: value for name, value in fn.targetoptions.items() if not isinstance(value, dict)}
    flags = Flags()
    fn.targetdescr.options.parse_as_flags(flags, options)  # it takes a dictionary of parallel's apart
    now = _options(fn._compiler._customize_flags(flags).summary())
    unknown = {"enable_ssa", *(INHERITED - fn.targetoptions.keys())}
    unknown |= set() if len(options) == len(fn.targetoptions) else {"auto_parallel"}
    differing = {name for name in then.keys() | now.keys() if then.get(name) != now.get(name)} - unknown
    return sorted(NAMES.get(name, name) for name in differing)


def _options_then(function, text):
    """The options in the symbol of a function; None if there is no such symbol, or it cannot be read."""
    start = f"{ENVIRONMENT}{_symbol(function)}B"
    line = next((line for line in text.splitlines() if line.startswith(start)), "")
    tag = re.match(r"\d+v\d+B(\d+)", line.removeprefix(start))
    if tag is None:
        return None
    first = len(start) + tag.end()
    try:
        return _options(Flags.demangle(line[first : first + int(tag[1])]))
    except Exception:  # whatever decoding meets
        return None


def _options(summary):
    """Name and value of each option that is set, from Numba's summary of them; the order in a set is left open."""
    pairs = (part.partition("=") for part in OWN_OPTION.split(summary.removesuffix(")")) if "=" in part)
    return {name: sorted(re.findall(r"\w+", value)) for name, _, value in pairs}


def _symbol(function):
    """How the names of symbols of a function begin, within a namespace."""
    name = f"{function.__module__}.{function.__qualname__}"
    return mangle_identifier(name).removeprefix("N").removesuffix("E")


def holds(function: types.FunctionType, text: str) -> bool:
    """Whether cached code has a function in it, or one defined inside it, that was compiled for a call of its own."""
    start = f"{ENVIRONMENT}{_symbol(function)}"
    return any(line.startswith(start) for line in text.splitlines())


def holds_defaults(callee: types.FunctionType, text: str) -> bool:
    """Whether all calls of `callee` in cached code that leave arguments out were compiled with its defaults of now."""
    now = [_mangled(value) for value in callee.__defaults__ or ()]
    for line in text.splitlines():
        if line.startswith(f"{ENVIRONMENT}{_symbol(callee)}B"):
            rest = iter(now)
            if not all(value in rest for value in _defaults_in(line)):
                return False
    return True


def _defaults_in(symbol):
    """The defaults of the arguments that a call leaves out, as they stand in the name of what is called."""
    for found in OMITTED.finditer(symbol):
        start = found.end(1)
        yield symbol[start : start + int(found[1])]


def _mangled(default: Any) -> str:
    return mangle_type(numba.types.Omitted(default)).lstrip("0123456789")
