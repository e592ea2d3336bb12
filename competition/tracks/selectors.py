"""Which competitions and tracks somebody may see."""

from __future__ import annotations

from typing import TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import Count, Prefetch, Q, QuerySet

from competition.tracks.models import Competition, Track

Viewer: TypeAlias = AbstractBaseUser | AnonymousUser


def tracks_for(viewer: Viewer) -> QuerySet[Track]:
    """Return the tracks that the viewer may see; staff preview those that are not open."""
    tracks = Track.objects.select_related("competition", "dataset", "benchmark")
    return tracks if is_staff(viewer) else tracks.visible()


def competitions_for(viewer: Viewer) -> QuerySet[Competition]:
    """Return the competitions that the viewer may see, each with `listed_tracks`.

    A participant sees those with at least one open track.
    """
    tracks = tracks_for(viewer).annotate(participants=Count("submissions__participant", distinct=True))
    competitions = Competition.objects.prefetch_related(
        Prefetch("tracks", queryset=tracks, to_attr="listed_tracks")
    )
    if is_staff(viewer):
        return competitions
    has_open_track = Q(is_public=True, tracks__is_open=True)
    return competitions.filter(has_open_track).distinct()


def is_organiser(viewer: Viewer) -> bool:
    """Say whether the viewer may change tracks."""
    return isinstance(viewer, User) and viewer.is_staff and viewer.has_perm("tracks.change_track")


def is_staff(viewer: Viewer) -> bool:
    """Say whether the viewer may see what participants may not."""
    return bool(getattr(viewer, "is_staff", False))
