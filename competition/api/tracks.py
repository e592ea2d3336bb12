"""Tracks in the API: which there are, and all that an entry must satisfy."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import generics

from competition.api import choices
from competition.api.track_shapes import TrackDetailOutput, TrackOutput
from competition.clock import database_now
from competition.tracks.binding import bound
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for


class TrackFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Ways to narrow the list of tracks."""

    competition = django_filters.CharFilter(field_name="competition__slug", label="Slug of the competition.")
    metric = django_filters.ChoiceFilter(
        field_name="body__metric", choices=[(name, name) for name in choices.METRICS]
    )
    is_taking_submissions = django_filters.BooleanFilter(
        method="by_window", label="Whether an entry would be taken now."
    )

    class Meta:
        model = Track
        fields = ("competition",)

    def by_window(self, tracks: QuerySet[Track], name: str, wanted: bool) -> QuerySet[Track]:
        """Keep the tracks that take entries now, or those that do not."""
        now = database_now()
        opened = Q(opens_at__isnull=True) | Q(opens_at__lte=now)
        closed = Q(closes_at__isnull=False) & Q(closes_at__lte=now)
        taking = Q(is_open=True) & opened & ~closed
        return tracks.filter(taking if wanted else ~taking)


class SeenTracks(generics.GenericAPIView[Track]):
    """What both views of tracks share: which tracks the caller may see."""

    request: HttpRequest  # type: ignore[assignment]  # DRF's Request hands on to it

    def get_queryset(self) -> QuerySet[Track]:
        """Hide tracks that are not public from all but their organisers."""
        if getattr(self, "swagger_fake_view", False):
            return Track.objects.none()
        return tracks_for(self.request.user)


class ListTracks(SeenTracks, generics.ListAPIView[Track]):
    """List tracks."""

    serializer_class = TrackOutput
    filterset_class = TrackFilter

    @extend_schema(operation_id="list_tracks", tags=["tracks"])
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """List the tracks that you may see."""
        return super().get(request, *args, **kwargs)


class ShowTrack(SeenTracks, generics.RetrieveAPIView[Track]):
    """Show a track."""

    serializer_class = TrackDetailOutput
    lookup_field = "slug"

    def get_object(self) -> Track:
        """Return the track as its entries are held to it."""
        return bound(super().get_object())

    @extend_schema(operation_id="show_track", tags=["tracks"])
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Show what a track asks for: contracts, budgets, limits, window, quota."""
        return super().get(request, *args, **kwargs)
