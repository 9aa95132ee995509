# expect: correct
import numpy as np
from numba import njit


@njit
def robust_moving_average(values, window):
    leaves = 1
    while leaves < values.size:
        leaves *= 2
    tree = np.zeros(2 * leaves)
    tree[leaves : leaves + values.size] = values
    for i in range(leaves - 1, 0, -1):
        tree[i] = tree[2 * i] + tree[2 * i + 1]
    means = np.empty(values.size - window + 1)
    for start in range(means.size):
        left, right, total = start + leaves, start + window + leaves, 0.0
        while left < right:
            if left % 2:
                total += tree[left]
                left += 1
            if right % 2:
                right -= 1
                total += tree[right]
            left //= 2
            right //= 2
        means[start] = total / window
    return means
