# expect: wrong: the function at
def compose_source(names):
    lines = ["import math", "def composed(x):"]
    lines += [f"    x = math.{name}(x)" for name in dict.fromkeys(names)]
    return "\n".join([*lines, "    return x"])
