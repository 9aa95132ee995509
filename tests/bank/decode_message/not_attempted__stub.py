# expect: not attempted
def decode_message(message):
    """Return who complains, in which line of yours.py, and of what."""
    ...
