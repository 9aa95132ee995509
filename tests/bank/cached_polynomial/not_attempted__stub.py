# expect: not attempted
def cached_polynomial():
    """Return the text of a module."""
