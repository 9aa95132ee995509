# expect: not compiled: plain Python function
import numpy as np


def bilinear_resize(image, height, width):
    h, w = image.shape
    y = np.clip((np.arange(height) + 0.5) * h / height - 0.5, 0, h - 1)
    x = np.clip((np.arange(width) + 0.5) * w / width - 0.5, 0, w - 1)
    rows = np.array([np.interp(x, np.arange(w), row) for row in image])
    return np.array([np.interp(y, np.arange(h), column) for column in rows.T]).T.astype(image.dtype)
