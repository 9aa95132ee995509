"""Learn JIT compilation in Python with Numba: chapters, exercises and instruments.

Importing this package imports nothing else; take what you need from
``numba_course.exercises``, ``numba_course.lens``, ``numba_course.kernels`` or ``numba_course.pipeline``.

PYTEST_DONT_REWRITE, which pytest reads here: else it warns where ``python -m numba_course.lens -m pytest`` runs it.
"""

__version__ = "0.1.0"
