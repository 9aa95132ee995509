"""Load what a check needs: the fork server imports this after `process.warm`, so its children start warm.

It does its work as it is imported, and that takes seconds: nothing but the fork server may import it.
"""

import gc

import numpy as np

from numba_course.exercises.examination import judge, trial

trial.settle_in()
judge.settle_in()
# Hypothesis looks at all modules that are there, once.
judge.drawn(judge.STRATEGIES.tuples(judge.STRATEGIES.arrays(np.float64, 2)))
gc.freeze()  # the children need not look through all that is loaded for garbage, nor copy it by looking
