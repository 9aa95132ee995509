"""The exercises of each chapter, one module a chapter, each with a tuple ``EXERCISES``, some with ``PREDICTIONS``."""
