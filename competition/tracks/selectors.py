"""Which competitions and tracks somebody may see."""

from __future__ import annotations

from django.db.models import FilteredRelation, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from competition.tracks.access import Viewer, competitions_of, is_staff, organises
from competition.tracks.models import Competition, Track
from scoring.contracts import Split


def tracks_for(viewer: Viewer) -> QuerySet[Track]:
    """Return the tracks that the viewer may see; organisers preview those of theirs that are not open."""
    tracks = Track.objects.select_related("competition", "dataset", "benchmark", "shown")
    if not is_staff(viewer):
        return tracks.visible()
    return tracks.visible() | tracks.filter(competition__in=competitions_of(viewer).values("pk"))


def competitions_for(viewer: Viewer) -> QuerySet[Competition]:
    """Return the competitions that the viewer may see, each with `listed_tracks`.

    Who does not organise a competition sees it if it has an open track.
    """
    # The parts of the site above keep these; the names reach up, no import does.
    public_board = FilteredRelation(
        "benchmark__rankings", condition=Q(benchmark__rankings__split=Split.PUBLIC)
    )
    board_before = FilteredRelation("shown__rankings", condition=Q(shown__rankings__split=Split.PUBLIC))
    tracks = tracks_for(viewer).annotate(
        participants=Coalesce("counts__participants", 0),
        entries=Coalesce("counts__submissions", 0),
        public_board=public_board,
        board_before=board_before,
        best=Coalesce("board_before__best", "public_board__best"),
    )
    competitions = Competition.objects.prefetch_related(
        Prefetch("tracks", queryset=tracks, to_attr="listed_tracks")
    )
    with_open_track = Q(is_public=True, pk__in=Track.objects.visible().values("competition"))
    return competitions.filter(with_open_track | Q(pk__in=competitions_of(viewer).values("pk")))


def may_change(viewer: Viewer, track: Track) -> bool:
    """Say whether the viewer may change the track in the admin."""
    return viewer.has_perm("tracks.change_track") and organises(viewer, track.competition_id)
