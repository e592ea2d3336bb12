"""What an evaluation uses is kept from being removed until its end, and remembered as used."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Final

from scoring.cache.locks import shared

_held: Final[ContextVar[ExitStack | None]] = ContextVar("held", default=None)


@contextmanager
def holding() -> Iterator[None]:
    """Until the end, let nobody remove what is held inside."""
    with ExitStack() as stack:
        before = _held.set(stack)
        try:
            yield
        finally:
            _held.reset(before)


def hold(target: Path, *, tick: Callable[[], None]) -> None:
    """Note that the item is used now; inside `holding`, keep it until the end of that.

    Asked for before one looks whether the item is there: afterwards it could be removed meanwhile.
    `tick` is called while somebody removes it.
    """
    stack = _held.get()
    mark = mark_of(target)
    if stack is None:
        mark.parent.mkdir(parents=True, exist_ok=True)
    else:
        stack.enter_context(shared(mark, tick=tick))
    note_use(mark, at=time.time())


def note_use(mark: Path, *, at: float) -> None:
    """Record when an item was used last, in seconds since 1970."""
    mark.touch()
    os.utime(mark, (at, at))


def mark_of(target: Path) -> Path:
    """Return the file that is locked by who uses the item and that knows when it was used last."""
    return target.with_name(f"{target.name}.used")
