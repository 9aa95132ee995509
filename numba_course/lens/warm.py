"""Load what the instruments need: the fork server imports this after `process.warm`, so its children start warm.

Nothing but the fork server need import it.
"""

import gc

from numba_course.lens.compiled import compilation  # noqa: F401  # for the children
from numba_course.lens.race import detector  # noqa: F401

gc.freeze()  # the children need not look through all that is loaded for garbage, nor copy it by looking
