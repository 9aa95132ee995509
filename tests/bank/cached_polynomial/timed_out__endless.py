# expect: timed out: was stopped

def cached_polynomial():
    text = "from numba import njit"
    while "polynomial" not in text:
        text = text.strip()
    return text
