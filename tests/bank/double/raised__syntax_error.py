# expect: raised: SyntaxError
def double(values)
    return 2 * values
