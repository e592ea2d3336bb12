"""What a track.yaml comes to: the half that scoring needs and the half that the site needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from scoring.contracts import CHANGES_NO_SCORE, PrivateScores, TrackSpec, places_that_change_no_score


@dataclass(frozen=True, kw_only=True)
class TrackPage:
    """The site's half of a track: texts, window, quota, visibility."""

    summary: str = ""
    rules: str = ""
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    quota_submissions: int = 5
    quota_window_hours: int = 24
    private_scores: PrivateScores = PrivateScores.AFTER_CLOSE


@dataclass(frozen=True, kw_only=True)
class TrackDocument:
    """A whole track.yaml; in the file, the fields of both halves stand side by side."""

    spec: TrackSpec
    page: TrackPage = field(metadata=CHANGES_NO_SCORE)


PLACES_THAT_CHANGE_NO_SCORE: Final = frozenset(
    place.partition(".")[2] for place in places_that_change_no_score(TrackDocument)
)
"""The places of a track.yaml, as findings name them, that change no score."""
