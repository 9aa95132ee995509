# expect: not compiled: forceobj=True runs it as Python objects
from numba import jit


@jit(forceobj=True)
def repair_unsupported(words):
    longest = len(max(words, key=len))
    return [len(word) for word in words].count(longest)
