"""Where a C function lies, so that another process finds it: in which file, and how far behind its beginning."""

from __future__ import annotations

import ctypes

OF_LINK_MAP = 2  # RTLD_DI_LINKMAP: `dlinfo` gives the loader's entry of a library


class _Found(ctypes.Structure):
    """What `dladdr` says of an address."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("start", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


class _LinkMap(ctypes.Structure):
    """The beginning of the loader's entry of a library."""

    _fields_ = (("moved_by", ctypes.c_size_t), ("name", ctypes.c_char_p))


def place_of(address: int) -> tuple[str, int]:
    """The file of the library in which an address lies, and its distance from where that was loaded to.

    Raises
    ------
    LookupError
        If it lies in none, as a callback into Python does, or the system does not tell.
    """
    found = _Found()
    try:
        known = ctypes.CDLL(None).dladdr(ctypes.c_void_p(address), ctypes.byref(found))
    except (AttributeError, TypeError) as error:  # Windows
        raise LookupError("this system does not tell") from error
    if not known or not found.file:
        raise LookupError("it lies in no library")
    file = found.file.decode()
    return file, address - _moved_by(file)


def address_at(file: str, distance: int) -> int:
    """The address at this distance in this process, in which the library is loaded if it was not.

    Raises
    ------
    LookupError
        If the library is not there, or the system does not tell where it was loaded to.
    """
    return _moved_by(file) + distance


def _moved_by(file):
    """By how much the addresses in a library are moved in this process."""
    entry = ctypes.POINTER(_LinkMap)()
    try:
        handle = ctypes.c_void_p(ctypes.CDLL(file)._handle)
        failed = ctypes.CDLL(None).dlinfo(handle, OF_LINK_MAP, ctypes.byref(entry))
    except (AttributeError, OSError) as error:  # macOS has no `dlinfo`; the program itself is no library
        raise LookupError(str(error)) from error
    if failed:
        raise LookupError(f"{file} is not known to the loader")
    return entry.contents.moved_by
