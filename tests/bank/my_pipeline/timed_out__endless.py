# expect: timed out: seconds and was stopped
def my_pipeline():
    while True:
        pass
