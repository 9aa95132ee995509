# expect: raised: SystemExit
import sys

sys.exit("done")


def double(values):
    return 2 * values
