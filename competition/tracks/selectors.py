"""Which competitions and tracks somebody may see."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, FilteredRelation, OuterRef, Prefetch, Q, QuerySet
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
    competitions = Competition.objects.select_related("picture").prefetch_related(
        Prefetch("tracks", queryset=tracks, to_attr="listed_tracks")
    )
    with_open_track = Q(is_public=True, pk__in=Track.objects.visible().values("competition"))
    return competitions.filter(with_open_track | Q(pk__in=competitions_of(viewer).values("pk")))


def matching(competitions: QuerySet[Competition], words: str) -> QuerySet[Competition]:
    """Keep the competitions in whose name, host, summary or open tracks each of the words stands."""
    for word in words.split():
        track = Track.objects.visible().filter(competition=OuterRef("pk"), name__icontains=word)
        own = Q(name__icontains=word) | Q(host__icontains=word) | Q(summary__icontains=word)
        competitions = competitions.filter(own | Q(Exists(track)))
    return competitions


def ended(competitions: QuerySet[Competition], now: datetime) -> QuerySet[Competition]:
    """Keep the competitions whose open tracks have all closed."""
    return competitions.filter(Exists(_open_track()), ~Exists(_open_track().filter(_goes_on(now))))


def not_ended(competitions: QuerySet[Competition], now: datetime) -> QuerySet[Competition]:
    """Keep the competitions that run, will run, or are being prepared."""
    return competitions.filter(~Exists(_open_track()) | Exists(_open_track().filter(_goes_on(now))))


def _open_track() -> QuerySet[Track]:
    return Track.objects.filter(competition=OuterRef("pk"), is_open=True)


def _goes_on(now: datetime) -> Q:
    return Q(closes_at__isnull=True) | Q(closes_at__gt=now)


def may_change(viewer: Viewer, track: Track) -> bool:
    """Say whether the viewer may change the track in the admin."""
    return viewer.has_perm("tracks.change_track") and organises(viewer, track.competition_id)
