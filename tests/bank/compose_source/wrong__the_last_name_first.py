# expect: wrong: the function at 0.25 is
def compose_source(names):
    return "import math\ndef composed(x): return " + "".join(f"math.{n}(" for n in names) + "x" + ")" * len(names)
