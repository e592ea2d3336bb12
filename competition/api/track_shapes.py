"""Tracks as the API shows them: a line of the list, and all that an entry must satisfy."""

from __future__ import annotations

from typing import Any, cast

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from competition.api import choices
from competition.api.slot_shapes import SlotsOutput, own_slots
from competition.api.spec_shapes import document_outputs
from competition.clock import database_now
from competition.submissions import resuming
from competition.tracks.binding import max_upload_bytes
from competition.tracks.models import Track
from scoring.contracts import METRIC_FACTS, Metric


class CompetitionOutput(serializers.Serializer[Any]):
    """The competition that a track belongs to."""

    slug = serializers.CharField()
    name = serializers.CharField()


class MetricOutput(serializers.Serializer[Any]):
    """A metric as boards name it."""

    name = serializers.ChoiceField(choices=choices.METRICS)
    title = serializers.CharField()
    higher_is_better = serializers.BooleanField()
    version = serializers.CharField()


def metric_facts(name: str) -> dict[str, object]:
    """Return what `MetricOutput` shows of a metric."""
    facts = METRIC_FACTS[Metric(name)]
    return {
        "name": name,
        "title": facts.title,
        "version": facts.version,
        "higher_is_better": facts.higher_is_better,
    }


class TrackUrls(serializers.Serializer[Any]):
    """Addresses that belong to a track."""

    api = serializers.URLField()
    page = serializers.URLField()
    track_yaml = serializers.URLField()
    environment = serializers.URLField()
    submit = serializers.URLField()
    leaderboard = serializers.URLField()


class TrackOutput(serializers.Serializer[Track]):
    """A track in a list."""

    # Read from the body: a track whose fields do not fit together any more must not break the list.
    slug = serializers.CharField()
    name = serializers.CharField()
    summary = serializers.CharField(source="body.summary")
    competition = CompetitionOutput()
    formats = serializers.ListField(
        child=serializers.ChoiceField(choices=choices.FORMATS), source="body.formats"
    )
    metric = serializers.SerializerMethodField()
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)
    is_taking_submissions = serializers.SerializerMethodField()
    paused_at = serializers.DateTimeField(
        allow_null=True,
        help_text="Since when the organisers let no worker claim its entries; uploads stay open.",
    )
    urls = serializers.SerializerMethodField()

    @extend_schema_field(MetricOutput)
    def get_metric(self, track: Track) -> dict[str, object]:
        """Return the metric that ranks."""
        return metric_facts(track.body["metric"])

    def get_is_taking_submissions(self, track: Track) -> bool:
        """Say whether an entry would be taken now."""
        context = cast(dict[str, Any], self.context)
        if "now" not in context:  # asked once for a whole list
            context["now"] = database_now()
        return track.is_taking_submissions(context["now"])

    @extend_schema_field(TrackUrls)
    def get_urls(self, track: Track) -> dict[str, str]:
        """Return absolute addresses."""
        absolute = self.context["request"].build_absolute_uri
        return {
            "api": absolute(reverse("api-track", args=[track.slug])),
            "page": absolute(reverse("track", args=[track.slug])),
            "track_yaml": absolute(reverse("track-yaml", args=[track.slug])),
            "environment": absolute(reverse("track-environment", args=[track.slug])),
            "submit": absolute(reverse("api-submit", args=[track.slug])),
            "leaderboard": absolute(reverse("api-leaderboard", args=[track.slug])),
        }


class TrackDetailOutput(TrackOutput):
    """A track with everything that an entry must satisfy."""

    extra_metrics = serializers.SerializerMethodField()
    max_upload_bytes = serializers.SerializerMethodField()
    direct_uploads = serializers.SerializerMethodField(
        help_text="Whether entries may go straight into the store, in parts."
    )
    quota = serializers.SerializerMethodField(help_text="Your own; null if you are not signed in.")
    benchmark = serializers.CharField(source="benchmark.digest", default=None, allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return what is written here, and every other field of a track document."""
        written = super().get_fields()
        return {**written, **{name: f for name, f in document_outputs().items() if name not in written}}

    @extend_schema_field(MetricOutput(many=True))
    def get_extra_metrics(self, track: Track) -> list[dict[str, object]]:
        """Return the metrics shown beside the ranking one."""
        return [metric_facts(name) for name in track.spec().extra_metrics]

    @extend_schema_field(OpenApiTypes.INT64)
    def get_max_upload_bytes(self, track: Track) -> int:
        """Return the largest upload."""
        return max_upload_bytes(track)

    def get_direct_uploads(self, track: Track) -> bool:
        """Say whether participants reach the store."""
        return resuming.go_past_the_site()

    @extend_schema_field(SlotsOutput(allow_null=True))
    def get_quota(self, track: Track) -> dict[str, object] | None:
        """Return the caller's own slots."""
        user = self.context["request"].user
        if not user.is_authenticated:
            return None
        return own_slots(user, track)
