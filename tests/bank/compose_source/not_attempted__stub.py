# expect: not attempted
def compose_source(names):
    """Return the source of a function of `x`."""
    ...
