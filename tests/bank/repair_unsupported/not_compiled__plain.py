# expect: not compiled: a plain Python function; decorate it with @njit
def repair_unsupported(words):
    longest = max(words, key=len)
    return sum(len(word) == len(longest) for word in words)
