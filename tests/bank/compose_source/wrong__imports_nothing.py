# expect: wrong: raised NameError: name 'math' is not defined
import math


def compose_source(names):
    return "def composed(x):\n" + "".join(f"    x = math.{name}(x)\n" for name in names) + "    return x\n"
