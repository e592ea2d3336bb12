"""Tracks in the API: which there are, and all that an entry must satisfy."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers

from competition.api import choices
from competition.submissions import quotas
from competition.tracks.binding import bound, max_upload_bytes
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
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
    return {"name": name, **vars(METRIC_FACTS[Metric(name)])}


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


class InputOutput(serializers.Serializer[Any]):
    """What the model receives."""

    reader = serializers.ChoiceField(choices=choices.READERS)
    shape = serializers.ListField(
        child=serializers.IntegerField(), help_text="Of one sample, without the batch."
    )
    dtype = serializers.ChoiceField(choices=choices.DTYPES)
    low = serializers.FloatField()
    high = serializers.FloatField()
    channel_order = serializers.ChoiceField(choices=choices.CHANNEL_ORDERS)


class OutputOutput(serializers.Serializer[Any]):
    """What the model returns."""

    kind = serializers.ChoiceField(choices=choices.OUTPUT_KINDS)
    width = serializers.IntegerField(help_text="0 for class maps and boxes.")
    classes = serializers.IntegerField(help_text="Of class maps and boxes, else 0.")
    box_layout = serializers.ChoiceField(choices=choices.BOX_LAYOUTS, allow_null=True)
    class_names = serializers.ListField(
        child=serializers.CharField(),
        help_text="In the order of the classes' numbers; empty if none are given.",
    )


class BudgetsOutput(serializers.Serializer[Any]):
    """What a package may use; null means no limit."""

    max_parameters = serializers.IntegerField(allow_null=True, help_text="Inclusive.")
    max_macs = serializers.IntegerField(allow_null=True, help_text="Strict; multiply-adds of one sample.")
    max_package_bytes = serializers.IntegerField(allow_null=True, help_text="Inclusive; unpacked.")
    max_latency_ms = serializers.FloatField(
        allow_null=True,
        help_text="Inclusive gate on the median time of one sample; beyond it nobody is ranked.",
    )


class QuantisationOutput(serializers.Serializer[Any]):
    """A second score of the same entry, with its graph quantised."""

    precision = serializers.ChoiceField(choices=choices.PRECISIONS)
    calibration_samples = serializers.IntegerField()
    max_drop_points = serializers.FloatField(
        help_text="Inclusive; points of a hundred of the ranking metric that it may lose."
    )


class ArchiveLimitsOutput(serializers.Serializer[Any]):
    """Bounds on unpacking."""

    max_entry_bytes = serializers.IntegerField()
    max_unpacked_bytes = serializers.IntegerField()
    max_files = serializers.IntegerField()
    max_depth = serializers.IntegerField()
    max_ratio = serializers.FloatField()


class RunLimitsOutput(serializers.Serializer[Any]):
    """Bounds on a run."""

    max_memory_bytes = serializers.IntegerField()
    max_processes = serializers.IntegerField()
    max_file_bytes = serializers.IntegerField()
    max_tmp_bytes = serializers.IntegerField()
    max_log_bytes = serializers.IntegerField()
    measure_timeout_s = serializers.FloatField()
    predict_timeout_s = serializers.FloatField()
    threads = serializers.IntegerField()
    batch_size = serializers.IntegerField()
    seed = serializers.IntegerField()


class SlotsOutput(serializers.Serializer[Any]):
    """How much of a participant's quota is used."""

    used = serializers.IntegerField()
    allowed = serializers.IntegerField()
    window_hours = serializers.IntegerField()
    next_slot_at = serializers.DateTimeField(allow_null=True, help_text="Null while a slot is free.")


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
        slots = quotas.slots(participant=user, track=track, now=timezone.now())
        return dict(SlotsOutput(slots).data)


class TrackFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Ways to narrow the list of tracks."""

    competition = django_filters.CharFilter(field_name="competition__slug", label="Slug of the competition.")
    metric = django_filters.ChoiceFilter(choices=[(name, name) for name in choices.METRICS])
    is_taking_submissions = django_filters.BooleanFilter(
        method="by_window", label="Whether an entry would be taken now."
    )

    class Meta:
        model = Track
        fields = ("competition", "metric")

    def by_window(self, tracks: QuerySet[Track], name: str, wanted: bool) -> QuerySet[Track]:
        """Keep the tracks that take entries now, or those that do not."""
        now = timezone.now()
        opened = Q(opens_at__isnull=True) | Q(opens_at__lte=now)
        closed = Q(closes_at__isnull=False) & Q(closes_at__lte=now)
        taking = Q(is_open=True) & opened & ~closed
        return tracks.filter(taking if wanted else ~taking)


class SeenTracks(generics.GenericAPIView[Track]):
    """What both views of tracks share: which tracks the caller may see."""

    request: HttpRequest  # type: ignore[assignment]  # DRF's Request hands on to it

    def get_queryset(self) -> QuerySet[Track]:
        """Hide tracks that are not public from all but staff."""
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
