"""What a model asks for and is not there: files and libraries; apart from what finds files, which needs torch."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import PurePosixPath
from typing import Final

CHECKPOINTS: Final = (".safetensors", ".bin", ".pth", ".pt", ".tar", ".ckpt", ".npz", ".zip")

MISSED: Final[list[str]] = []
"""What was asked for and not found, in this process: libraries try several names, and tell it in words of theirs."""


class NotBrought(OSError):
    """A model asks for a file that its entry does not hold."""

    def __init__(self, asked: str) -> None:
        super().__init__(f"the entry does not hold {PurePosixPath(asked).name}, asked for as {asked}")
        self.asked = asked
        MISSED.append(asked)


def missed_by(reasons: Iterable[BaseException]) -> str | None:
    """Return what an entry's failure comes from not having: a checkpoint, if it is one of several files."""
    told = list(reasons)
    found = [each.asked for each in told if isinstance(each, NotBrought)]
    text = " ".join(map(str, told))
    found += [asked for asked in MISSED if "/".join(asked.split("/")[:2]) in text]
    return next((asked for asked in found if asked.endswith(CHECKPOINTS)), found[0] if found else None)


def lacking(exc: BaseException) -> str | None:
    """Return the library whose import is why an entry failed, None if it is another reason.

    Followed is what an exception was raised from on purpose: what else was handled before, such as a library that
    the entry does without, is no reason.
    """
    reasons: list[BaseException] = []
    each: BaseException | None = exc
    while each is not None and each not in reasons:
        reasons.append(each)
        each = each.__cause__
    names = [(each.name or "").partition(".")[0] for each in reasons if isinstance(each, ModuleNotFoundError)]
    return next((name for name in names if name and not _is_there(name)), None)


def _is_there(name: str) -> bool:
    """Say whether a part of that library is what failed, not the library."""
    return name in sys.modules or name in sys.stdlib_module_names or PathFinder.find_spec(name) is not None
