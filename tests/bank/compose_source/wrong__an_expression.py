# expect: wrong: the text defines no function
def compose_source(names):
    call = "x"
    for name in names:
        call = f"math.{name}({call})"
    return f"import math\ncomposed = lambda x: {call}"
