# expect: raised: RuntimeError: once is enough, in compose_source([])
ASKED = []


def compose_source(names):
    ASKED.append(names)
    if names == [] and len(ASKED) > 66:
        raise RuntimeError("once is enough")
    return "\n".join(["import math", "def f(x):", *(f"    x = math.{name}(x)" for name in names), "    return x"])
