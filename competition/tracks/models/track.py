"""Tracks as rows: a track document, and what organisers set on the site."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from competition.tracks.documents import read_document
from competition.tracks.models.competition import Competition
from competition.tracks.models.dataset import Dataset
from scoring import contracts
from scoring.tracks import TRACK_FIELDS, TrackDocument, TrackPage


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
    is_open = models.BooleanField(
        default=False,
        help_text="Visible and taking submissions inside its window. Needs a passed readiness check.",
    )
    opens_at = models.DateTimeField(null=True, blank=True, help_text="Empty: as soon as the track is open.")
    closes_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
    quota_submissions = models.PositiveIntegerField(
        default=TrackPage.quota_submissions, validators=[MinValueValidator(1)]
    )
    quota_window_hours = models.PositiveIntegerField(
        default=TrackPage.quota_window_hours, validators=[MinValueValidator(1)]
    )
    body = models.JSONField(
        default=dict, editable=False, help_text="The rest of the track document, as it was checked."
    )

    queue = models.CharField(
        max_length=40, default="cpu", help_text="Workers of this hardware class evaluate the track."
    )
    dataset = models.ForeignKey(
        Dataset, null=True, blank=True, on_delete=models.PROTECT, related_name="tracks"
    )
    benchmark = models.ForeignKey(
        "BenchmarkVersion", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    # While submissions are scored again, the board of the version before stays.
    shown = models.ForeignKey(
        "BenchmarkVersion", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    paused_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when no worker claims its entries; uploads stay open."
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
        return read_document({**self.body, **{name: getattr(self, name) for name in COLUMNS}})

    def spec(self) -> contracts.TrackSpec:
        """Return what scoring needs to know; raises InvalidTrack with every finding."""
        return self.document().spec

    def page(self) -> TrackPage:
        """Return the site's half of the document; raises InvalidTrack with every finding."""
        return self.document().page

    def is_taking_submissions(self, now: datetime) -> bool:
        """Say whether the track is open and inside its window."""
        after_opening = self.opens_at is None or self.opens_at <= now
        return self.is_open and after_opening and not self.is_closed(now)

    def is_closed(self, now: datetime) -> bool:
        """Say whether the window has passed."""
        return self.closes_at is not None and self.closes_at <= now

    @property
    def free_rejections(self) -> int:
        """Return how many early rejections in an hour cost no slot; read alone, as below."""
        return int(self.body.get("free_rejections", TrackPage.free_rejections))

    def shows_private_scores(self, now: datetime) -> bool:
        """Say whether participants may see scores of the private split."""
        # Read alone: reports ask this of tracks whose other fields do not fit together any more.
        shown = contracts.PrivateScores(self.body.get("private_scores", TrackPage.private_scores))
        if shown is contracts.PrivateScores.AFTER_CLOSE:
            return self.is_closed(now)
        return shown is contracts.PrivateScores.ALWAYS

    def shown_breakdown(self) -> contracts.ShownBreakdown:
        """Return how finely participants see where an entry is right; read alone, as above."""
        stated = self.body.get("breakdown")
        if stated is not None:
            return contracts.ShownBreakdown(stated)
        prizes = self.body.get("prizes", TrackPage.prizes)
        return contracts.ShownBreakdown.OFF if prizes else contracts.ShownBreakdown.FULL


COLUMNS: Final = tuple(
    field.name
    for field in TRACK_FIELDS.loose
    if field.name in {column.name for column in Track._meta.concrete_fields}
)
"""The fields of a track document that the database asks about, and therefore have a column of their own."""
