"""Standings, written with the score, and the boards that are ranked from them.

A standing is true as soon as the score is recorded. Its rank depends on everybody else's, so a board is ranked as a
whole: `rankings` says when.
"""

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
    parameters = models.BigIntegerField(
        null=True, help_text="What a board is sorted by, as are the two below."
    )
    macs = models.BigIntegerField(null=True)
    format = models.CharField(max_length=20, db_default="")

    class Meta:
        ordering: ClassVar = ["benchmark", "split", "-value", "achieved_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["benchmark", "participant", "split"], name="one_standing_per_participant"
            )
        ]
        # Here and not on the rows of boards, each of which is written again whenever somebody passes it.
        indexes: ClassVar = [
            models.Index(fields=["benchmark", "split", name, "participant"], name=f"standing_by_{name}")
            for name in ("parameters", "macs", "format", "latency_ms", "achieved_at", "value")
        ]

    def __str__(self) -> str:
        return f"{self.participant} on {self.benchmark}: {self.value:.6g}"


class Ranking(models.Model):
    """One board as it was ranked last: that of a benchmark version and a split. Its rows are `BoardRow`s."""

    benchmark = models.ForeignKey(BenchmarkVersion, on_delete=models.CASCADE, related_name="rankings")
    split = models.CharField(max_length=8, choices=[(s.value, s.value) for s in Split])
    revision = models.PositiveIntegerField(default=0, help_text="Grows whenever a row of the board changes.")
    participants = models.PositiveIntegerField(default=0)
    best = models.FloatField(null=True, help_text="The first row's value, unless it is outside the gate.")
    kept_on = models.DateField(
        null=True, help_text="The day, in UTC, at whose beginning `rank_before` was kept."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["benchmark", "split"], name="one_ranking_per_board")
        ]

    def __str__(self) -> str:
        return f"{self.benchmark} {self.split}, revision {self.revision}"


class BoardRow(models.Model):
    """A standing as the board shows it: what it was when the board was ranked, with its place among all others."""

    ranking = models.ForeignKey(Ranking, on_delete=models.CASCADE, related_name="rows")
    participant = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveIntegerField(help_text="1 for the first row; no two rows share one.")
    rank = models.PositiveIntegerField(
        null=True, help_text="Nothing outside the gate; equal values share one."
    )
    rank_low = models.PositiveIntegerField(null=True)
    rank_high = models.PositiveIntegerField(null=True)
    rank_before = models.PositiveIntegerField(
        null=True, help_text="The rank when the day began; nothing if there was none."
    )
    value = models.FloatField()
    ci_low = models.FloatField()
    ci_high = models.FloatField()
    latency_ms = models.FloatField(null=True)
    inside_gate = models.BooleanField()
    achieved_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["ranking", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ranking", "participant"], name="one_board_row_per_participant")
        ]
        # Not unique: rows that change places have the same one for the length of a statement.
        indexes: ClassVar = [models.Index(fields=["ranking", "position"], name="board_row_by_position")]

    def __str__(self) -> str:
        return f"{self.position} on {self.ranking}"


class Unranked(models.Model):
    """A change of a standing that its board does not show yet.

    It is inserted with the change and deleted with the ranking. A counter would do as well, but everybody who records
    a score would wait for its row while the board is being ranked.
    """

    ranking = models.ForeignKey(Ranking, on_delete=models.CASCADE, related_name="unranked")

    def __str__(self) -> str:
        return f"a change of {self.ranking}"


class Charts(models.Model):
    """What the charts of a board show, summed up beside it: no page reads a whole board to draw one."""

    ranking = models.OneToOneField(Ranking, on_delete=models.CASCADE, related_name="charts")
    revision = models.PositiveIntegerField(help_text="Of the board that was summed up.")
    submissions = models.PositiveIntegerField(help_text="How many the track had then.")
    at = models.DateTimeField(help_text="When it was summed up.")
    rests_until = models.DateTimeField(help_text="Not sooner again: the longer it took, the later.")
    record = models.JSONField(
        default=list, help_text="[[when, value, participant]], each better than all before."
    )
    costs = models.JSONField(default=dict, help_text="{usage: [[participant, value, cost, on the front]]}")
    scores = models.JSONField(
        default=dict, help_text="{low, high, counts}: participants in bins of equal width."
    )
    days = models.JSONField(default=list, help_text="[[day, submissions]], the last days that have any.")

    def __str__(self) -> str:
        return f"charts of {self.ranking}"
