"""When a pickler has a child do what it leaves to be done, and what is done then for more than one kind of thing."""

import importlib
from contextlib import suppress

FILL, BEGIN, REGISTER, COMPILE = range(4)  # in this order, in the child


def imported(module):
    """Import a module for what it registers with Numba; where that fails, Numba will say what it does not know."""
    with suppress(Exception):
        importlib.import_module(module)


def fill_attributes(made, attributes):
    vars(made).update(attributes)
