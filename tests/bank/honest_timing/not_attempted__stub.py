# expect: not attempted
def honest_timing(function, *args):
    """Return the seconds that a steady call takes."""
    ...
