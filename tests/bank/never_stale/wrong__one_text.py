# expect: wrong: must be a dictionary
def never_stale():
    return "from units import climb"
