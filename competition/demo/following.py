"""Waiting for several submissions at once: each is told of when it ends, in whatever order that is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

FINAL: Final = frozenset({"scored", "rejected", "failed", "cancelled"})
# Counts from the last news of any submission, so that a long queue or a slow machine does not count as a failure.
PATIENCE_S: Final = 900.0
TELL_S: Final = 20.0
POLL_S: Final = 1.0

State = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Time as the waiting sees it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def follow(
    arrivals: Iterator[Sequence[str]],
    *,
    state_of: Callable[[str], State],
    tell: Callable[[Sequence[State]], None],
    clock: Clock,
) -> Iterator[tuple[str, State]]:
    """Yield each submission with its last state as it ends; after PATIENCE_S without news, the others.

    `arrivals` is asked each time for the submissions that are new since; it ends when no more will come, and
    until then nobody loses patience. `tell` gets the states of those that wait and run, now and then while
    nothing ends.
    """
    waiting: dict[str, State] = {}
    more = True
    last_news = last_words = clock.now()
    while waiting or more:
        arrived = next(arrivals, None)
        more = arrived is not None
        if more:
            last_news = clock.now()
        waiting |= {submission: {} for submission in arrived or ()}
        for submission, before in list(waiting.items()):
            state = waiting[submission] = state_of(submission)
            if _progress(state) != _progress(before):
                last_news = clock.now()
            if state["status"] in FINAL:
                last_words = clock.now()
                yield submission, waiting.pop(submission)
        if clock.now() - last_news >= PATIENCE_S:
            break
        if not waiting and not more:
            return
        if clock.now() - last_words >= TELL_S:
            last_words = clock.now()
            tell(list(waiting.values()))
        clock.sleep(POLL_S)
    yield from waiting.items()


def _progress(state: State) -> tuple[Any, ...]:
    return tuple(state.get(name) for name in ("status", "stage", "started_at"))
