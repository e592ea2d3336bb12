"""Tracks as the API shows them: a line of the list, and all that an entry must satisfy."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from competition.api import choices
from competition.api.slot_shapes import SlotsOutput, own_slots
from competition.api.spec_shapes import (
    ArchiveLimitsOutput,
    BudgetsOutput,
    InputOutput,
    OutputOutput,
    QuantisationOutput,
    RunLimitsOutput,
)
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

    slug = serializers.CharField()
    name = serializers.CharField()
    summary = serializers.CharField()
    competition = CompetitionOutput()
    formats = serializers.ListField(child=serializers.ChoiceField(choices=choices.FORMATS))
    metric = serializers.SerializerMethodField()
    opens_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField(allow_null=True)
    is_taking_submissions = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()

    @extend_schema_field(MetricOutput)
    def get_metric(self, track: Track) -> dict[str, object]:
        """Return the metric that ranks."""
        return metric_facts(track.metric)

    def get_is_taking_submissions(self, track: Track) -> bool:
        """Say whether an entry would be taken now."""
        return track.is_taking_submissions(timezone.now())

    @extend_schema_field(TrackUrls)
    def get_urls(self, track: Track) -> dict[str, str]:
        """Return absolute addresses."""
        absolute = self.context["request"].build_absolute_uri
        return {
            "api": absolute(reverse("api-track", args=[track.slug])),
            "page": absolute(reverse("track", args=[track.slug])),
            "track_yaml": absolute(reverse("track-yaml", args=[track.slug])),
            "environment": absolute(reverse("environment")),
            "submit": absolute(reverse("api-submit", args=[track.slug])),
            "leaderboard": absolute(reverse("api-leaderboard", args=[track.slug])),
        }


class TrackDetailOutput(TrackOutput):
    """A track with everything that an entry must satisfy."""

    rules = serializers.CharField(help_text="Markdown.")
    input = serializers.SerializerMethodField()
    output = serializers.SerializerMethodField()
    extra_metrics = serializers.SerializerMethodField()
    budgets = BudgetsOutput(source="*")
    quantisation = serializers.SerializerMethodField(help_text="Null: entries are scored once.")
    archive_limits = ArchiveLimitsOutput(source="*")
    run_limits = RunLimitsOutput(source="*")
    max_upload_bytes = serializers.SerializerMethodField()
    quota_submissions = serializers.IntegerField()
    quota_window_hours = serializers.IntegerField()
    quota = serializers.SerializerMethodField(help_text="Your own; null if you are not signed in.")
    private_scores = serializers.ChoiceField(choices=choices.PRIVATE_SCORES)
    benchmark = serializers.CharField(source="benchmark.digest", default=None, allow_null=True)

    @extend_schema_field(InputOutput)
    def get_input(self, track: Track) -> dict[str, object]:
        """Return the input contract."""
        return {
            "reader": track.reader,
            "shape": track.input_shape,
            "dtype": track.input_dtype,
            "low": track.input_low,
            "high": track.input_high,
            "channel_order": track.channel_order,
        }

    @extend_schema_field(OutputOutput)
    def get_output(self, track: Track) -> dict[str, object]:
        """Return the output contract."""
        return {
            "kind": track.output_kind,
            "width": track.output_width,
            "classes": track.output_classes,
            "box_layout": track.box_layout or None,
            "class_names": track.class_names,
        }

    @extend_schema_field(QuantisationOutput(allow_null=True))
    def get_quantisation(self, track: Track) -> dict[str, object] | None:
        """Return what the second score asks for."""
        return dict(QuantisationOutput(track).data) if track.precision else None

    @extend_schema_field(MetricOutput(many=True))
    def get_extra_metrics(self, track: Track) -> list[dict[str, object]]:
        """Return the metrics shown beside the ranking one."""
        return [metric_facts(name) for name in track.extra_metrics]

    @extend_schema_field(OpenApiTypes.INT64)
    def get_max_upload_bytes(self, track: Track) -> int:
        """Return the largest upload."""
        return max_upload_bytes(track)

    @extend_schema_field(SlotsOutput(allow_null=True))
    def get_quota(self, track: Track) -> dict[str, object] | None:
        """Return the caller's own slots."""
        user = self.context["request"].user
        if not user.is_authenticated:
            return None
        return own_slots(user, track)
