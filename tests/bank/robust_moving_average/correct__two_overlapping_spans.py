# expect: correct
from numba import njit


@njit
def robust_halves(values, window):
    if window == 1:
        return values.copy()
    size = values.size - window + 1
    half = robust_halves(values, window // 2)
    sums = half[:size] + half[window // 2 :][:size]
    if window % 2:
        sums += values[window - 1 :]
    return sums


@njit
def robust_moving_average(values, window):
    if window == 1:
        return values.copy()
    half = robust_halves(values, window // 2)
    means = half[: values.size - window + 1] + half[window // 2 :][: values.size - window + 1]
    if window % 2:
        means += values[window - 1 :]
    return means / window
