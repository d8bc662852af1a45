"""Memory is tidied while nobody types.

Python looks through everything it holds for rings of dead objects every few seconds of work: with a desk's half a
million objects that is 60 to 90 ms in the middle of a key (measured: every seventy-fifth row of the journal). What
stands when the desk is ready stands until it ends, so it is left out of the search (``gc.freeze``); what came later
is searched in a pause of typing.
"""

from __future__ import annotations

import gc
from types import TracebackType

# Young objects as Python itself would have it. The oldest are left to the pauses, unless none came for so long.
_THRESHOLDS = (700, 10, 200)
# Middle-aged collections since the last full one, from which on there is something to tidy.
_WORTH_IT = 5


class Tidying:
    """While it is entered, full collections wait for ``pause``; left, all is as it was before."""

    def __init__(self) -> None:
        self._before = gc.get_threshold()
        self._settled = False

    def __enter__(self) -> Tidying:
        gc.set_threshold(*_THRESHOLDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The next who sits down here gets a desk of his own: of this one nothing may stay."""
        gc.unfreeze()
        gc.set_threshold(*self._before)

    def pause(self) -> None:
        """Nobody types just now."""
        if not self._settled:
            self._settled = True
            gc.collect()
            gc.freeze()
        elif gc.get_count()[2] >= _WORTH_IT:
            gc.collect()
