# expect: wrong: the result is "Unknown attribute 'median' of type array(float64, 1d, C)"
def decode_message(message):
    return "types", 4, "Unknown attribute 'median' of type array(float64, 1d, C)"
