"""What a track.yaml comes to: the half that scoring needs and the half that the site needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from scoring.contracts import PrivateScores, ShownBreakdown, TrackSpec, places_that_change_no_score
from scoring.contracts.fields import Group, Unit, described


@dataclass(frozen=True, kw_only=True)
class TrackPage:
    """The site's half of a track: texts, window, quota, visibility. Nothing here changes a score."""

    summary: str = field(
        default="",
        metadata=described("One sentence for the competition's page.", empty="none", max_length=400),
    )
    rules: str = field(
        default="",
        metadata=described(
            "Shown on the track's page; required before the track opens. Markdown.",
            empty="none",
            is_markdown=True,
        ),
    )
    opens_at: datetime | None = field(
        default=None,
        metadata=described(
            "When the track starts to accept submissions. In a file, a time with its zone, such as "
            "`2030-01-01T00:00:00Z`; in the form, in UTC.",
            group=Group.WINDOW,
            empty="as soon as the track is open",
            is_decision=True,
        ),
    )
    closes_at: datetime | None = field(
        default=None,
        metadata=described(
            "When the track stops accepting submissions; must be later than `opens_at`.",
            group=Group.WINDOW,
            empty="no end",
            is_decision=True,
        ),
    )
    quota_submissions: int = field(
        default=5,
        metadata=described(
            "Submissions per participant in the rolling window below.",
            label="Submissions allowed",
            group=Group.WINDOW,
            above=0,
            is_decision=True,
        ),
    )
    quota_window_hours: int = field(
        default=24,
        metadata=described(
            "Length of the rolling window. Faults and submissions cancelled before they started do not "
            "count.",
            label="Quota window",
            group=Group.WINDOW,
            unit=Unit.HOURS,
            above=0,
            is_decision=True,
        ),
    )
    free_rejections: int = field(
        default=20,
        metadata=described(
            "Entries rejected before the *measure* stage, per participant in an hour, that do not "
            "count. Further ones do.",
            label="Free rejections an hour",
            group=Group.WINDOW,
            at_least=0,
            at_most=1_000,
        ),
    )
    private_scores: PrivateScores = field(
        default=PrivateScores.AFTER_CLOSE,
        metadata=described(
            "When participants see the scores of the private split.",
            group=Group.WINDOW,
        ),
    )
    prizes: bool = field(
        default=False,
        metadata=described(
            "Whether there are prizes, so that somebody may want to learn about the hidden samples.",
            group=Group.WINDOW,
        ),
    )
    breakdown: ShownBreakdown | None = field(
        default=None,
        metadata=described(
            "What participants see, on the public split, of where their entry is right: `full`: counts for each label "
            "and group, the confusion matrix, thresholds. `steps`: shares of parts of at least 20 samples in quarters, "
            "for up to 20 labels and 20 groups. `off`: nothing.",
            group=Group.WINDOW,
            empty="`off` on tracks with prizes, otherwise `full`",
        ),
    )


@dataclass(frozen=True, kw_only=True)
class TrackDocument:
    """A whole track.yaml; in the file, the fields of both halves stand side by side."""

    spec: TrackSpec
    page: TrackPage = field(metadata=described("What the site needs.", changes_scores=False))


PLACES_THAT_CHANGE_NO_SCORE: Final = frozenset(
    place.partition(".")[2] for place in places_that_change_no_score(TrackDocument)
)
"""The places of a track.yaml, as findings name them, that change no score."""
