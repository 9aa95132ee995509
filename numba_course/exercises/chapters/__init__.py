"""The exercises of each chapter, one module a chapter, each ending in a tuple ``EXERCISES``."""
