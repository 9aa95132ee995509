# expect: not compiled: plain Python function
def collatz_longest(limit):
    def length(n):
        return 1 if n == 1 else 1 + length(n // 2 if n % 2 == 0 else 3 * n + 1)

    return max(range(1, limit), key=length)
