# expect: correct
def compose_source(names):
    call = "x"
    for name in names:
        call = f"math.{name}({call})"
    return f"import math\ndef composed(x): return {call}"
