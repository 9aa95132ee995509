"""Run the command line: ``python -m numba_course``.

Kept in old syntax and plain ASCII, so that a Python that is too old can read as far as the sentence that
says so.
"""

import sys

OLDEST, NEWEST = (3, 11), (3, 14)


def main():
    """Check the Python, then hand the arguments to the command line; return the exit code."""
    if not OLDEST <= tuple(sys.version_info[:2]) <= NEWEST:
        versions = OLDEST + NEWEST + tuple(sys.version_info[:2])
        sys.stderr.write("numba_course needs Python %d.%d to %d.%d; this is Python %d.%d.\n" % versions)  # noqa: UP031
        return 1
    from numba_course.launch import cli

    return cli.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
