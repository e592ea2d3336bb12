"""Standings: each participant's best evaluation on a benchmark version, written with the score."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from competition.submissions.models import Evaluation
from competition.tracks.models import BenchmarkVersion
from scoring.contracts import Split


class Standing(models.Model):
    """A participant's row on the board of one benchmark version and split."""

    benchmark = models.ForeignKey(BenchmarkVersion, on_delete=models.CASCADE, related_name="standings")
    participant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="standings"
    )
    split = models.CharField(max_length=8, choices=[(s.value, s.value) for s in Split], default=Split.PUBLIC)
    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="+")
    value = models.FloatField()
    ci_low = models.FloatField()
    ci_high = models.FloatField()
    latency_ms = models.FloatField(null=True, help_text="Median of one sample, where the track has a gate.")
    inside_gate = models.BooleanField(default=True)
    achieved_at = models.DateTimeField(help_text="When the best submission was uploaded; earlier wins ties.")

    class Meta:
        ordering: ClassVar = ["benchmark", "split", "-value", "achieved_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["benchmark", "participant", "split"], name="one_standing_per_participant"
            )
        ]

    def __str__(self) -> str:
        return f"{self.participant} on {self.benchmark}: {self.value:.6g}"
