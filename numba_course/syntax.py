"""Python text as a tree, also where several threads want one at once."""

from __future__ import annotations

import ast

ATTEMPTS = 20


def parse(text: str) -> ast.Module:
    """The statements of a text, as `ast.parse` gives them.

    Until 3.11.7 and 3.12.1, Python counts the depth of all trees in one place; a thread that meets another one at it
    gets a SystemError for a text in which nothing is wrong (python/cpython#106905).

    Parameters
    ----------
    text : str

    Raises
    ------
    SyntaxError, ValueError
        If it is not Python.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return ast.parse(text)
        except SystemError:
            pass
    return ast.parse(text)
