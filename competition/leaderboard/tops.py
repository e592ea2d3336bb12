"""The first rows of the boards of several tracks, found together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from competition.leaderboard.models import BoardRow
from competition.submissions import disclosure
from competition.tracks.models import Track
from scoring.contracts import Split


@dataclass(frozen=True, kw_only=True)
class TopRow:
    """A row of a public board with no more than who, where and what."""

    rank: int | None
    participant_id: int
    participant_name: str
    value: float


def tops(tracks: Iterable[Track], *, limit: int) -> dict[int, list[TopRow]]:
    """Return the first rows of the public board that each track shows, by the track's number."""
    versions = {track.shown_id or track.benchmark_id: track.pk for track in tracks}
    rows = (
        BoardRow.objects.filter(
            ranking__benchmark__in=[version for version in versions if version],
            ranking__split=Split.PUBLIC,
            position__lte=limit,
        )
        .select_related("participant", "ranking")
        .order_by("ranking", "position")
    )
    found: dict[int, list[TopRow]] = defaultdict(list)
    for row in rows:
        found[versions[row.ranking.benchmark_id]].append(
            TopRow(
                rank=row.rank,
                participant_id=row.participant_id,
                participant_name=row.participant.get_username(),
                value=disclosure.score(row.value),
            )
        )
    return found
