# expect: not compiled: plain Python function


def normalise_into(image, mean, std, out):
    out[:] = (image - mean) / std
