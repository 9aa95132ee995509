"""Functions of C libraries, as something by which a child finds them: by name, since their addresses differ."""

from __future__ import annotations

import ctypes
import gc
import pickle
import sys
from _ctypes import FUNCFLAG_PYTHONAPI
from collections.abc import Callable
from typing import Any

from numba_course.process._made_by_numba import compile_callback
from numba_course.process._steps import COMPILE
from numba_course.process.c_addresses import address_at, place_of


def reduced_c_function(pickler, function):
    library = (function._objects or {}).get("0")
    if isinstance(library, ctypes.CDLL) and hasattr(function, "__name__"):
        return _c_function, (library, *declared(function))
    address = ctypes.cast(function, ctypes.c_void_p).value
    if callback := _callback_at(address):
        pickler.later(
            COMPILE, _point_to, function, callback, order=-1
        )  # what is compiled at once may call it
        return _c_function_to_be, (type(function)._flags_, function.restype, function.argtypes)
    place = _place_of(address or 0, "ctypes knows a C function by its address alone")
    return _c_function_at, (*place, type(function)._flags_, function.restype, function.argtypes)


def _place_of(address, said):
    """The library in which an address lies, and where in it; `said` begins the sentence where there is none."""
    try:
        return place_of(address)
    except LookupError as error:
        more = "take it from its library by name, or make it inside the function"
        raise pickle.PicklingError(f"{said}; {more}") from error


def is_wrapped_address(value: Any) -> bool:
    """Whether it is an object that gives Numba the address of a function, and is no function of Numba's itself."""
    module = sys.modules.get("numba.core.types.function_type")
    return (
        module is not None and isinstance(value, module.WrapperAddressProtocol) and not hasattr(value, "cres")
    )


def reduced_wrapped_address(value: Any) -> tuple[Any, ...]:
    """For such an object, one that gives the address of the same function in the child."""
    kind = type(value).__name__
    place = _place_of(value.__wrapper_address__(), f"a {kind} gives the address of a C function alone")
    return _wrapped_address, (*place, value.signature())


def _wrapped_address(file, distance, signature):
    from numba.core.types import WrapperAddressProtocol

    members = {
        "__wrapper_address__": lambda self: address_at(file, distance),
        "signature": lambda self: signature,
    }
    return type("Wrapped", (WrapperAddressProtocol,), members)()


def _c_function_to_be(flags, restype, argtypes):
    return _c_function_of(flags, restype, argtypes)(1)  # an address that is replaced


def _point_to(function, callback):
    """In the child: give a C function the address of what ``@cfunc`` compiles."""
    compile_callback(callback)
    ctypes.c_void_p.from_address(ctypes.addressof(function)).value = callback.address


def _callback_at(address):
    """What ``@cfunc`` has compiled to this address, if anything."""
    if "numba.core.ccallback" not in sys.modules:
        return None
    kind = sys.modules["numba.core.ccallback"].CFunc
    made = (value for value in gc.get_objects() if type(value) is kind)
    return next((callback for callback in made if callback.address == address), None)


def declared(function):
    """Name, argument types and result type of a function that ctypes found in a library."""
    return function.__name__, function.argtypes, function.restype


def c_library(kind, name, functions):
    library = kind(name)
    for declared in functions:
        _c_function(library, *declared)
    return library


def _c_function(library, name, argtypes, restype):
    function = getattr(library, name)
    function.argtypes, function.restype = argtypes, restype
    return function


def _c_function_at(file, distance, flags, restype, argtypes):
    return _c_function_of(flags, restype, argtypes)(address_at(file, distance))


def _c_function_of(flags, restype, argtypes):
    kind = ctypes.PYFUNCTYPE if flags & FUNCFLAG_PYTHONAPI else ctypes.CFUNCTYPE
    return kind(restype, *(argtypes or ()))


def _reduced_ffi(pickler, ffi):
    return _ffi, (ffi._cdefsources,)


def _ffi(sources):
    import cffi

    ffi = cffi.FFI()
    ffi.cdef("\n".join(source for source in sources if source not in ("[", "]")), override=True)
    return ffi


def _reduced_ffi_library(pickler, library):
    _, _, name = type(library).__name__.partition("FFILibrary_")
    ffi = next(ffi for ffi in _ffis() if any(library is other for other in ffi._libraries))
    return _ffi_library, (ffi, name or None)


def _ffi_library(ffi, name):
    return ffi.dlopen(name)


def _reduced_ffi_data(pickler, data):
    for ffi in _ffis():
        for library in ffi._libraries:
            for name, value in getattr(library, "__dict__", {}).items():
                if value is data:
                    return getattr, (library, name)
    raise pickle.PicklingError("cffi knows this value by its address alone; take it from its library by name")


def _ffis():
    """All that declare C functions in this process; a function of a library does not know which of them it is of."""
    return [
        value for value in gc.get_objects() if type(value).__module__ == "cffi.api" and hasattr(value, "cdef")
    ]


REDUCERS: dict[Any, Callable[[Any, Any], Any]] = {
    "cffi.api.FFI": _reduced_ffi,
    "cffi.api._make_ffi_library.<locals>.FFILibrary": _reduced_ffi_library,
    "_cffi_backend._CDataBase": _reduced_ffi_data,
}
