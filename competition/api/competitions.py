"""Competitions in the API: which there are, and what their organisers tell."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import generics

from competition.api.competition_shapes import CompetitionDetailOutput, CompetitionListOutput
from competition.tracks.models import Competition
from competition.tracks.selectors import competitions_for, matching


class CompetitionFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Ways to narrow the list of competitions."""

    q = django_filters.CharFilter(method="by_words", label="Words of the name, host, summary or tracks.")

    def by_words(self, rows: QuerySet[Competition], name: str, value: str) -> QuerySet[Competition]:
        """Keep those in which each of the words stands."""
        return matching(rows, value)


class SeenCompetitions(generics.GenericAPIView[Competition]):
    """What both views share: which competitions the caller may see."""

    request: HttpRequest  # type: ignore[assignment]  # DRF's Request hands on to it

    def get_queryset(self) -> QuerySet[Competition]:
        """Hide competitions that are not public from all but their organisers."""
        if getattr(self, "swagger_fake_view", False):
            return Competition.objects.none()
        return competitions_for(self.request.user)


class ListCompetitions(SeenCompetitions, generics.ListAPIView[Competition]):
    """List competitions."""

    serializer_class = CompetitionListOutput
    filterset_class = CompetitionFilter

    @extend_schema(operation_id="list_competitions", tags=["competitions"])
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """List the competitions that you may see, newest first."""
        return super().get(request, *args, **kwargs)


class ShowCompetition(SeenCompetitions, generics.RetrieveAPIView[Competition]):
    """Show a competition."""

    serializer_class = CompetitionDetailOutput
    lookup_field = "slug"

    @extend_schema(operation_id="show_competition", tags=["competitions"])
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Show a competition: texts in Markdown, dates, news, and its tracks with their counts."""
        return super().get(request, *args, **kwargs)
