"""Tracks as rows: one column for each field of a track document, and what organisers set on the site."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from competition.tracks.models.choices import choices
from competition.tracks.models.competition import Competition
from competition.tracks.models.dataset import Dataset
from scoring import contracts
from scoring.tracks import TrackDocument, build_track


def image_shape() -> list[int]:
    """Return the input shape of a new track."""
    return [3, 224, 224]


class TrackQuerySet(models.QuerySet["Track"]):
    """Questions about many tracks."""

    def visible(self) -> TrackQuerySet:
        """Return the tracks that anybody may see."""
        return self.filter(is_open=True, competition__is_public=True)


class Track(models.Model):
    """One ranked problem: formats, input, output, metric, budgets, limits, dataset, window, quota."""

    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="tracks")
    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the competition's page.")
    summary = models.CharField(max_length=400, blank=True)
    rules = models.TextField(blank=True, help_text="Markdown; shown on the track's page.")

    is_open = models.BooleanField(
        default=False,
        help_text="Visible and taking submissions inside its window. Needs a passed readiness check.",
    )
    opens_at = models.DateTimeField(null=True, blank=True, help_text="Empty: as soon as the track is open.")
    closes_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    quota_submissions = models.PositiveIntegerField(default=5, validators=[MinValueValidator(1)])
    quota_window_hours = models.PositiveIntegerField(default=24, validators=[MinValueValidator(1)])
    private_scores = models.CharField(
        max_length=20,
        choices=choices(contracts.PrivateScores),
        default=contracts.PrivateScores.AFTER_CLOSE,
        help_text="When scores of the private split are shown.",
    )

    formats = models.JSONField(default=list, help_text="Package formats that are accepted.")
    reader = models.CharField(
        max_length=20, choices=choices(contracts.Reader), default=contracts.Reader.IMAGE
    )
    input_shape = models.JSONField(
        default=image_shape,
        help_text="Images [3, height, width], video [frames, 3, height, width], audio [samples]; "
        "null where the package may choose.",
    )
    input_fit = models.CharField(
        max_length=40,
        choices=choices(contracts.Fit),
        default=contracts.Fit.STRETCH,
        help_text="How pictures of another size are brought to height x width.",
    )
    input_mean = models.JSONField(
        null=True, blank=True, help_text="Subtracted, one value a channel. Empty: none."
    )
    input_std = models.JSONField(
        null=True, blank=True, help_text="Divided by, one value a channel. Empty: none."
    )
    frame_rate = models.FloatField(
        null=True, blank=True, help_text="Video is thinned to so many frames a second. Empty: every frame."
    )
    sample_rate = models.PositiveIntegerField(default=16_000, help_text="Of audio, in Hz.")
    input_dtype = models.CharField(
        max_length=20, choices=choices(contracts.Dtype), default=contracts.Dtype.FLOAT32
    )
    input_low = models.FloatField(default=0.0)
    input_high = models.FloatField(default=1.0)
    channel_order = models.CharField(
        max_length=10, choices=choices(contracts.ChannelOrder), default=contracts.ChannelOrder.BGR
    )
    output_kind = models.CharField(
        max_length=20, choices=choices(contracts.OutputKind), default=contracts.OutputKind.LOGITS
    )
    output_width = models.PositiveIntegerField(
        default=100, help_text="Columns of the output; 1 for confidences, 0 for class maps and boxes."
    )
    output_classes = models.PositiveSmallIntegerField(
        default=0, help_text="Classes of class maps and boxes; 0 for other outputs."
    )
    box_layout = models.CharField(
        max_length=20,
        blank=True,
        choices=choices(contracts.BoxLayout),
        help_text="How boxes are written; empty for other outputs.",
    )
    class_names = models.JSONField(
        default=list, blank=True, help_text="For people: one name a class. They change no score."
    )
    metric = models.CharField(
        max_length=40, choices=choices(contracts.Metric), default=contracts.Metric.ACCURACY
    )
    extra_metrics = models.JSONField(default=list, blank=True, help_text="Shown beside the ranking metric.")

    max_parameters = models.BigIntegerField(null=True, blank=True, help_text="Inclusive. Empty: no limit.")
    max_macs = models.BigIntegerField(
        null=True, blank=True, help_text="Strict, multiply-adds of one sample. Empty: no limit."
    )
    max_package_bytes = models.BigIntegerField(null=True, blank=True, help_text="Unpacked. Empty: no limit.")
    max_latency_ms = models.FloatField(
        null=True, blank=True, help_text="Gate on the median time of one sample. Empty: nothing is timed."
    )

    precision = models.CharField(
        max_length=20,
        blank=True,
        choices=choices(contracts.Precision),
        help_text="Entries are scored a second time, quantised so. Empty: they are not.",
    )
    calibration_samples = models.PositiveIntegerField(
        default=contracts.Quantisation.calibration_samples,
        validators=[MinValueValidator(1), MaxValueValidator(10_000)],
        help_text="Samples that the quantised graph is calibrated on.",
    )
    max_drop_points = models.FloatField(
        default=contracts.Quantisation.max_drop_points,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Inclusive, in points of a hundred of the ranking metric.",
    )

    max_entry_bytes = models.BigIntegerField(default=contracts.ArchiveLimits.max_entry_bytes)
    max_unpacked_bytes = models.BigIntegerField(default=contracts.ArchiveLimits.max_unpacked_bytes)
    max_files = models.PositiveIntegerField(default=contracts.ArchiveLimits.max_files)
    max_depth = models.PositiveIntegerField(default=contracts.ArchiveLimits.max_depth)
    max_ratio = models.FloatField(default=contracts.ArchiveLimits.max_ratio)

    max_memory_bytes = models.BigIntegerField(default=contracts.RunLimits.max_memory_bytes)
    max_processes = models.PositiveIntegerField(default=contracts.RunLimits.max_processes)
    max_file_bytes = models.BigIntegerField(default=contracts.RunLimits.max_file_bytes)
    max_tmp_bytes = models.BigIntegerField(default=contracts.RunLimits.max_tmp_bytes)
    max_log_bytes = models.PositiveIntegerField(default=contracts.RunLimits.max_log_bytes)
    measure_timeout_s = models.FloatField(default=contracts.RunLimits.measure_timeout_s)
    predict_timeout_s = models.FloatField(default=contracts.RunLimits.predict_timeout_s)
    threads = models.PositiveIntegerField(default=contracts.RunLimits.threads)
    batch_size = models.PositiveIntegerField(default=contracts.RunLimits.batch_size)
    seed = models.PositiveIntegerField(default=contracts.RunLimits.seed)

    queue = models.CharField(
        max_length=40, default="cpu", help_text="Workers of this hardware class evaluate the track."
    )
    dataset = models.ForeignKey(
        Dataset, null=True, blank=True, on_delete=models.PROTECT, related_name="tracks"
    )
    benchmark = models.ForeignKey(
        "BenchmarkVersion", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TrackQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["competition", "position", "slug"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(opens_at__isnull=True)
                | Q(closes_at__isnull=True)
                | Q(opens_at__lt=F("closes_at")),
                name="track_opens_before_it_closes",
            ),
            models.CheckConstraint(
                condition=Q(is_open=False) | Q(benchmark__isnull=False), name="open_track_has_a_benchmark"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the track's page."""
        return reverse("track", args=[self.slug])

    def document(self) -> TrackDocument:
        """Return the row as a track document; raises InvalidTrack with every finding."""
        return build_track(
            {
                "slug": self.slug,
                "name": self.name,
                "summary": self.summary,
                "rules": self.rules,
                "formats": self.formats,
                "input": {
                    "reader": self.reader,
                    "shape": self.input_shape,
                    "fit": self.input_fit,
                    "mean": self.input_mean,
                    "std": self.input_std,
                    "frame_rate": self.frame_rate,
                    "sample_rate": self.sample_rate,
                    "dtype": self.input_dtype,
                    "low": self.input_low,
                    "high": self.input_high,
                    "channel_order": self.channel_order,
                },
                "output": {
                    "kind": self.output_kind,
                    "width": self.output_width,
                    "classes": self.output_classes,
                    "box_layout": self.box_layout or None,
                    "class_names": self.class_names,
                },
                "metric": self.metric,
                "extra_metrics": self.extra_metrics,
                "budgets": self._section(contracts.Budgets),
                "quantisation": self._section(contracts.Quantisation) if self.precision else None,
                "archive_limits": self._section(contracts.ArchiveLimits),
                "run_limits": self._section(contracts.RunLimits),
                "opens_at": self.opens_at,
                "closes_at": self.closes_at,
                "quota_submissions": self.quota_submissions,
                "quota_window_hours": self.quota_window_hours,
                "private_scores": self.private_scores,
            }
        )

    def _section(
        self,
        section: type[
            contracts.Budgets | contracts.Quantisation | contracts.ArchiveLimits | contracts.RunLimits
        ],
    ) -> dict[str, object]:
        """Return the columns named like the fields of a contract's dataclass."""
        return {name: getattr(self, name) for name in (field.name for field in fields(section))}

    def spec(self) -> contracts.TrackSpec:
        """Return what scoring needs to know; raises InvalidTrack with every finding."""
        return self.document().spec

    def is_taking_submissions(self, now: datetime) -> bool:
        """Say whether the track is open and inside its window."""
        after_opening = self.opens_at is None or self.opens_at <= now
        return self.is_open and after_opening and not self.is_closed(now)

    def is_closed(self, now: datetime) -> bool:
        """Say whether the window has passed."""
        return self.closes_at is not None and self.closes_at <= now

    def shows_private_scores(self, now: datetime) -> bool:
        """Say whether participants may see scores of the private split."""
        if self.private_scores == contracts.PrivateScores.AFTER_CLOSE:
            return self.is_closed(now)
        return self.private_scores == contracts.PrivateScores.ALWAYS
