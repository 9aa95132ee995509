# expect: correct
import textwrap


def compose_source(names):
    """Each result has a name, and each function is imported by its own."""
    lines = [f"v{i + 1} = {name}(v{i})" for i, name in enumerate(names)]
    body = "\n".join(["v0 = x", *lines, f"return v{len(names)}"])
    return "from math import *\n\ndef chain(x):\n" + textwrap.indent(body, "    ")
