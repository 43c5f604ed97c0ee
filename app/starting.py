"""The garbage collector while a process starts: what is imported and built then stays as long as the process.

Looking through it again and again was a quarter of a start, and a restarted core is waited for by everybody in line.
Later collections pass it over as well, so they are short.
"""

from __future__ import annotations

import gc


def begun() -> None:
    """Nothing is collected from here on; call it before the large imports."""
    gc.disable()


def settled() -> None:
    """All that there is now stays; what comes from here on is collected as usual."""
    gc.freeze()
    gc.enable()
