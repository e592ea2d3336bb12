"""Competitions as the API shows them: a line of the list, and everything that their pages tell."""

from __future__ import annotations

from typing import Any, cast

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from competition.api.track_shapes import MetricOutput, metric_facts
from competition.clock import database_now
from competition.tracks.calendar import Phase, Window, calendar_of, window_of
from competition.tracks.models import Competition, Track
from competition.tracks.texts import published


class CompetitionUrls(serializers.Serializer[Any]):
    """Addresses that belong to a competition."""

    api = serializers.URLField()
    page = serializers.URLField()
    feed = serializers.URLField(help_text="News as Atom.")


class CompetitionTrackOutput(serializers.Serializer[Any]):
    """A track of a competition, with the counts that its card shows."""

    slug = serializers.CharField()
    name = serializers.CharField()
    metric = serializers.SerializerMethodField()
    participants = serializers.IntegerField(help_text="Who submitted.")
    entries = serializers.IntegerField(help_text="Submissions.")
    best = serializers.FloatField(allow_null=True, help_text="The best public value of the metric.")
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(MetricOutput)
    def get_metric(self, track: Track) -> dict[str, object]:
        """Return the metric that ranks."""
        return metric_facts(track.body["metric"])


class EventOutput(serializers.Serializer[Any]):
    """A date of the calendar."""

    name = serializers.CharField()
    at = serializers.DateTimeField()


class NewsOutput(serializers.Serializer[Any]):
    """News; the text is Markdown."""

    title = serializers.CharField()
    text = serializers.CharField()
    published_at = serializers.DateTimeField()


class CompetitionListOutput(serializers.Serializer[Competition]):
    """A competition in a list."""

    slug = serializers.CharField()
    name = serializers.CharField()
    summary = serializers.CharField()
    host = serializers.CharField()
    prize = serializers.CharField()
    phase = serializers.SerializerMethodField()
    opens_at = serializers.SerializerMethodField()
    closes_at = serializers.SerializerMethodField()
    results_at = serializers.DateTimeField(allow_null=True)
    tracks = CompetitionTrackOutput(many=True, source="listed_tracks")
    urls = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(choices=[(phase.value, phase.value) for phase in Phase]))
    def get_phase(self, row: Competition) -> str:
        """Return where the competition stands."""
        return str(self._window(row).phase.value)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_opens_at(self, row: Competition) -> Any:
        """Return when its first track opens."""
        return self._window(row).opens_at

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_closes_at(self, row: Competition) -> Any:
        """Return when its last track closes."""
        return self._window(row).closes_at

    @extend_schema_field(CompetitionUrls)
    def get_urls(self, row: Competition) -> dict[str, str]:
        """Return absolute addresses."""
        absolute = self.context["request"].build_absolute_uri
        return {
            "api": absolute(reverse("api-competition", args=[row.slug])),
            "page": absolute(row.get_absolute_url()),
            "feed": absolute(reverse("competition-feed", args=[row.slug])),
        }

    def _window(self, row: Any) -> Window:
        return window_of(row.listed_tracks, self._now())

    def _now(self) -> Any:
        context = cast(dict[str, Any], self.context)
        if "now" not in context:  # asked once for a whole list
            context["now"] = database_now()
        return context["now"]


class CompetitionDetailOutput(CompetitionListOutput):
    """A competition with its texts (Markdown), dates and news."""

    description = serializers.CharField(help_text="The overview, in Markdown.")
    about_data = serializers.CharField(help_text="Markdown.")
    rules = serializers.CharField(help_text="Markdown.")
    calendar = serializers.SerializerMethodField()
    news = serializers.SerializerMethodField()

    @extend_schema_field(EventOutput(many=True))
    def get_calendar(self, row: Competition) -> Any:
        """Return its dates in their order."""
        events = calendar_of(row, self._window(row), row.milestones.all(), self._now())
        return EventOutput(events, many=True).data

    @extend_schema_field(NewsOutput(many=True))
    def get_news(self, row: Competition) -> Any:
        """Return what has been told so far, newest first."""
        return NewsOutput(published(row, self._now()), many=True).data
