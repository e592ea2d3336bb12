"""What a model asks for and its entry does not hold; apart from what finds it, which needs torch."""

from __future__ import annotations

from collections.abc import Iterable
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
