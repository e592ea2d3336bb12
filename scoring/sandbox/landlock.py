"""Says whether this kernel has Landlock, with which the keeper hides the host's folders from an entry."""

from __future__ import annotations

import ctypes
from typing import Final

CREATE_RULESET: Final = 444
ASK_VERSION: Final = 1


def version() -> int:
    """Return the version of Landlock's interface, 0 where the kernel lacks it or it is switched off."""
    return max(0, int(ctypes.CDLL(None).syscall(CREATE_RULESET, None, 0, ASK_VERSION)))
