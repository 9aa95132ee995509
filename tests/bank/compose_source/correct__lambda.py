# expect: correct
def compose_source(names):
    text = "x"
    for name in names:
        text = f"math.{name}({text})"
    return f"import math\ncomposed = lambda x: {text}\n"
