"""The command line, and the environment that it needs."""
