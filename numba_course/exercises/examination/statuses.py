"""What an examination can end with; apart from the verdict, so that a terminal can show it without Numba."""

# status: (icon, what it is called, tone of the card). From bad to good: the worst one found is the verdict.
STATUSES = {
    "our bug": ("!", "our bug", "plain"),
    "crashed": ("✗", "crashed", "bad"),
    "timed out": ("✗", "timed out", "bad"),
    "not compiled": ("✗", "not compiled", "bad"),
    "raised": ("✗", "raised an error", "bad"),
    "wrong": ("✗", "wrong", "bad"),
    "unmet": ("!", "right, but a requirement is not met", "warn"),
    "not attempted": ("○", "not attempted yet", "info"),
    "stopped": ("○", "stopped", "info"),
    "correct": ("✓", "correct", "good"),
}
