"""What a track.yaml comes to: the half that scoring needs and the half that the site needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scoring.contracts import PrivateScores, TrackSpec


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
    """A whole track.yaml."""

    spec: TrackSpec
    page: TrackPage
