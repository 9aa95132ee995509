"""Benchmarks of the kernels against their peers; run by ``python -m numba_course bench``."""
