"""Benchmark versions as rows: what scores are comparable under."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from competition.tracks.documents import read_document
from competition.tracks.models.dataset import Dataset
from competition.tracks.models.track import Track
from scoring.tracks import TrackDocument


class BenchmarkVersion(models.Model):
    """What decides a score at one time: dataset, track spec, and the versions of what scores with them.

    Scores of two versions never share a board.
    """

    track = models.ForeignKey(Track, on_delete=models.PROTECT, related_name="benchmarks")
    number = models.PositiveIntegerField()
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="benchmarks")
    spec = models.JSONField(editable=False, help_text="The track document this version was made from.")
    spec_digest = models.CharField(max_length=71)
    reader_version = models.CharField(max_length=40)
    metric_version = models.CharField(max_length=200)
    environment = models.JSONField(editable=False, help_text="Versions of the packages that decide scores.")
    digest = models.CharField(max_length=71)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["track", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["track", "number"], name="benchmark_number_is_unique"),
            models.UniqueConstraint(fields=["track", "digest"], name="benchmark_digest_is_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.track.slug} v{self.number}"

    def document(self) -> TrackDocument:
        """Return the track as it was when this version was made: what evaluations on it are held to."""
        return read_document(self.spec)
