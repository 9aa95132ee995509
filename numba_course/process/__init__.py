"""A function in a clean child process with limits, and what travels there and back."""
