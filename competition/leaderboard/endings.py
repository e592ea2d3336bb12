"""When a board is final: its track has ended, and nothing that was submitted in time still waits for its score."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from competition.leaderboard.selectors import Board
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from scoring.contracts import Split, Status

WINNING_RANKS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How the board of an ended track stands; `decides` where its ranks are those that count."""

    at: datetime
    unscored: int
    decides: bool

    @property
    def is_final(self) -> bool:
        """Say whether no rank will change any more."""
        return self.unscored == 0

    @property
    def winning_ranks(self) -> int:
        """Return down to which rank the winners are marked; 0 while, or where, there are none."""
        return WINNING_RANKS if self.decides and self.is_final else 0


def ending_of(board: Board, now: datetime) -> Ending | None:
    """Return how the board stands; None while the track runs, and for earlier benchmark versions."""
    track = board.track
    if track.closes_at is None or not track.is_closed(now):
        return None
    if board.benchmark is None or board.benchmark.pk != track.benchmark_id:
        return None
    unscored = Evaluation.objects.filter(
        benchmark=board.benchmark, status__in=(Status.QUEUED, Status.RUNNING)
    ).count()
    return Ending(at=track.closes_at, unscored=unscored, decides=board.split is deciding_split(track, now))


def deciding_split(track: Track, now: datetime) -> Split:
    """Return the split that decides an ended track: the private one, where there is one that everybody may see."""
    has_private = track.benchmark is not None and track.benchmark.dataset.private_samples > 0
    return Split.PRIVATE if has_private and track.shows_private_scores(now) else Split.PUBLIC
