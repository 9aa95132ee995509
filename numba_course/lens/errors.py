"""Show an error that must come, in one line, and fail where none comes."""

from contextlib import contextmanager

from numba_course.lens.dispatchers import reason


@contextmanager
def expect_error(kind=Exception):
    """Print what kind of error the block raises, and the one line of it that matters.

    Parameters
    ----------
    kind : type or tuple of type
        What is expected; any other exception passes through.

    Raises
    ------
    AssertionError
        If the block raises nothing: then the text around it is no longer true.
    """
    try:
        yield
    except kind as error:
        name = type(error).__name__
        print(f"{name}: {reason(error).removeprefix(f'{name}: ')}")
    else:
        raise AssertionError(f"expected {getattr(kind, '__name__', kind)}, but nothing was raised")
