# expect: raised: IndexError: list index out of range
def compose_source(names):
    call = f"math.{names[0]}(x)"
    for name in names[1:]:
        call = f"math.{name}({call})"
    return f"import math\ndef composed(x): return {call}"
