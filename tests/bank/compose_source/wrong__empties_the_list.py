# expect: wrong: it changed its argument `names`
def compose_source(names):
    text = "import math\ndef composed(x):\n"
    while names:
        text += f"    x = math.{names.pop(0)}(x)\n"
    return text + "    return x\n"
