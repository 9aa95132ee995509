# expect: timed out: was stopped
def cached_polynomial():
    return """
while True:
    pass
"""
