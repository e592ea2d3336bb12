"""Datasets as rows; what is in them lies in the file store."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone

from competition.tracks.models.competition import Competition
from scoring import contracts


def image_readers() -> list[str]:
    """Return the readers of a dataset that was imported when there were only images."""
    return [contracts.Reader.IMAGE.value]


class Dataset(models.Model):
    """Hidden data of a track: one zip of labels.csv and the files it names, never changed.

    Each competition has a row of its own for the same data: nobody learns that another has it.
    """

    competition = models.ForeignKey(
        Competition,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="datasets",
        help_text="Whose organisers may use it; without one, only superusers.",
    )
    name = models.CharField(max_length=120)
    archive = models.FileField(upload_to="datasets/", editable=False)
    archive_bytes = models.BigIntegerField(editable=False, default=0)
    digest = models.CharField(
        max_length=71, db_index=True, editable=False, help_text="sha256 of the archive's bytes."
    )
    samples = models.PositiveIntegerField(editable=False)
    private_samples = models.PositiveIntegerField(editable=False, default=0)
    truth = models.CharField(
        max_length=20,
        editable=False,
        default=contracts.TruthKind.CLASSES,
        help_text="What is true of each sample: a class, a mask or boxes.",
    )
    highest_label = models.PositiveIntegerField(editable=False, default=0)
    label_counts = models.JSONField(
        editable=False,
        default=dict,
        help_text="Samples, or boxes, of each class: {split: {label: count}}. Masks are not counted.",
    )
    readers = models.JSONField(
        editable=False, default=image_readers, help_text="The readers that all of its files look right for."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["competition", "digest"], name="dataset_is_once_in_a_competition")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.samples:,} samples)"

    def labels(self, split: contracts.Split) -> dict[int, int]:
        """Return how many samples of the split each label has."""
        return {int(label): count for label, count in self.label_counts.get(split, {}).items()}
