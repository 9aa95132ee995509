# expect: correct
def compose_source(names):
    text = "x"
    lines = ["import math", "def applied(x):"]
    for number, name in enumerate(names):
        lines.append(f"    y{number} = math.{name}({text})")
        text = f"y{number}"
    return "\n".join([*lines, f"    return {text}"])
