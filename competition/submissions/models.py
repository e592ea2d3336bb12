"""Submissions, evaluations with faults and scores, workers: rows. Only `lifecycle` writes an evaluation's status."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from competition.submissions.lines import Lane, Line
from competition.submissions.partial_uploads import PartialUpload
from competition.tracks.models import BenchmarkVersion, Competition, Track
from scoring.contracts import Split, Stage, Status
from scoring.errors import Cause

__all__ = [
    "FINAL",
    "Baseline",
    "Disqualification",
    "Evaluation",
    "EvaluationFault",
    "Lane",
    "Line",
    "PartialUpload",
    "Quarantine",
    "Score",
    "Submission",
    "Visibility",
    "Worker",
    "entry_path",
]

FINAL = (Status.SCORED, Status.REJECTED, Status.FAILED, Status.CANCELLED)


def entry_path(submission: Submission, filename: str) -> str:
    """Return where an entry is stored; the participant's file name is not part of it."""
    return f"entries/{submission.track.slug}/{submission.id}"


class Visibility(models.TextChoices):
    """Whether its participant lets boards show a submission; what is withdrawn stays so."""

    PUBLIC = "public"
    HIDDEN = "hidden"
    WITHDRAWN = "withdrawn"


class Submission(models.Model):
    """The record of one upload by one participant: what was uploaded never changes.

    `note` and `visibility` are the participant's to change.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    track = models.ForeignKey(Track, on_delete=models.PROTECT, related_name="submissions")
    participant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="submissions"
    )
    entry = models.FileField(upload_to=entry_path, max_length=200)
    entry_name = models.CharField(max_length=255)
    entry_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    note = models.TextField(blank=True, db_default="", help_text="The participant's own; organisers read it.")
    visibility = models.CharField(
        max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC, db_default=Visibility.PUBLIC
    )

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(fields=["participant", "track", "created_at"], name="submission_by_participant"),
            models.Index(fields=["track", "sha256"], name="submission_by_sha256"),
            models.Index(fields=["participant", "-created_at"], name="submission_newest_first"),
            models.Index(fields=["created_at"], name="submission_by_time"),
            models.Index(fields=["track", "created_at"], name="submission_by_track"),
            # For beginnings of names, whatever the database's collation.
            models.Index(fields=["entry_name"], opclasses=["varchar_pattern_ops"], name="submission_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_name} ({self.short_id})"

    def get_absolute_url(self) -> str:
        """Return the submission's page."""
        return reverse("submission", args=[self.id])

    @property
    def short_id(self) -> str:
        """First eight characters of the id, for people."""
        return str(self.id)[:8]


class Disqualification(models.Model):
    """A submission, or all that a participant has in a competition, that no board shows. Reinstating deletes the row.

    What was, and who decided it, the audit trail keeps.
    """

    competition = models.ForeignKey(Competition, on_delete=models.CASCADE, related_name="disqualifications")
    participant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="disqualifications"
    )
    submission = models.OneToOneField(
        Submission,
        null=True,
        on_delete=models.CASCADE,
        related_name="disqualification",
        help_text="None: the participant is disqualified.",
    )
    reason = models.TextField(help_text="The participant reads it.")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["competition", "participant"],
                condition=Q(submission__isnull=True),
                name="one_disqualification_of_a_participant",
            )
        ]

    def __str__(self) -> str:
        return f"{self.submission or self.participant} ({self.competition})"


class Baseline(models.Model):
    """A submission of an organiser's that boards show without a rank, as something to compare with."""

    submission = models.OneToOneField(Submission, on_delete=models.CASCADE, related_name="baseline")
    name = models.CharField(max_length=80, help_text="What boards call it, such as “ResNet-18”.")

    class Meta:
        ordering: ClassVar = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Quarantine(models.Model):
    """A submission that no worker claims until it is released, for it harms them, say. Releasing deletes the row."""

    submission = models.OneToOneField(Submission, on_delete=models.CASCADE, related_name="quarantine")
    reason = models.TextField(help_text="The participant reads it.")
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]

    def __str__(self) -> str:
        return str(self.submission)


class Evaluation(models.Model):
    """One attempt to score a submission against one benchmark version."""

    class Priority(models.IntegerChoices):
        """Lower runs first: rescoring runs below fresh entries."""

        FRESH = 0
        RESCORE = 10

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="evaluations")
    benchmark = models.ForeignKey(BenchmarkVersion, on_delete=models.PROTECT, related_name="evaluations")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.FRESH)
    lane = models.ForeignKey(
        Lane,
        null=True,
        db_index=False,  # the index of what waits in a lane is enough
        editable=False,
        on_delete=models.SET_NULL,
        related_name="evaluations",
    )

    status = models.CharField(
        max_length=12, choices=[(s.value, s.value) for s in Status], default=Status.QUEUED, editable=False
    )
    stage = models.CharField(
        max_length=12, choices=[(s.value, s.value) for s in Stage], blank=True, default="", editable=False
    )
    code = models.CharField(max_length=40, blank=True, default="", editable=False)

    queued_at = models.DateTimeField(default=timezone.now, editable=False)
    not_before = models.DateTimeField(
        null=True, editable=False, help_text="It rests until then after a fault."
    )
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    cancel_requested = models.BooleanField(default=False, editable=False)

    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    fence = models.PositiveIntegerField(default=0, editable=False)
    lease_owner = models.CharField(max_length=100, blank=True, default="", editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)

    findings = models.JSONField(default=list, editable=False, help_text="[{code, path, facts}]")
    usage = models.JSONField(null=True, editable=False)
    report = models.JSONField(null=True, editable=False, help_text="format, samples, timings_s")
    log = models.TextField(blank=True, default="", editable=False, help_text="Log of the measure stage.")
    reference = models.CharField(max_length=12, blank=True, default="", editable=False)
    fault = models.TextField(blank=True, default="", editable=False, help_text="For staff only.")

    class Meta:
        ordering: ClassVar = ["-queued_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["submission", "benchmark"], name="one_evaluation_per_submission_and_benchmark"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in Status]), name="evaluation_status_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.RUNNING) | Q(lease_expires_at__isnull=False),
                name="running_evaluation_has_a_lease",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=FINAL) | Q(finished_at__isnull=False),
                name="final_evaluation_has_an_end",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "priority", "queued_at"], name="evaluation_queue"),
            models.Index(fields=["queued_at"], name="evaluation_by_time"),
            models.Index(fields=["code", "benchmark"], condition=~Q(code=""), name="evaluation_by_code"),
            models.Index(fields=["reference"], condition=~Q(reference=""), name="evaluation_by_reference"),
            models.Index(fields=["started_at"], name="evaluation_started"),
            models.Index(fields=["finished_at"], name="evaluation_finished"),
            models.Index(
                fields=["lane", "queued_at", "id"],
                condition=Q(status=Status.QUEUED),
                name="evaluation_in_lane",
            ),
            models.Index(
                fields=["not_before"],
                condition=Q(status=Status.QUEUED, not_before__isnull=False),
                name="evaluation_resting",
            ),
            models.Index(
                fields=["id"],
                condition=Q(status__in=(Status.QUEUED, Status.RUNNING), lane__isnull=True),
                name="evaluation_without_lane",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.submission.short_id} on {self.benchmark}: {self.status}"

    @property
    def is_rescore(self) -> bool:
        """Say whether organisers have a submission scored again that was scored before."""
        return self.priority == self.Priority.RESCORE

    @property
    def is_final(self) -> bool:
        """Say whether nothing more will happen to this evaluation by itself."""
        return self.status in FINAL


class EvaluationFault(models.Model):
    """A fault of ours that an evaluation met, and on which machine."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="faults")
    worker = models.CharField(max_length=100)
    machine = models.CharField(max_length=100)
    cause = models.CharField(max_length=20, choices=[(c.value, c.value) for c in Cause])
    reference = models.CharField(max_length=12, db_index=True)
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["evaluation", "at", "pk"]
        indexes: ClassVar = [models.Index(fields=["at"], name="fault_at")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.cause} on {self.machine}"

    @property
    def counts(self) -> bool:
        """Say whether the entry may be what made us fail."""
        return Cause(self.cause).counts


class Participation(models.Model):
    """A participant on a track: there is a row for everybody who ever submitted to it."""

    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="participations")
    participant = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="participations"
    )
    submissions = models.PositiveIntegerField(default=0, db_default=0)
    final = models.ForeignKey(
        Submission,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The one that counts on the private board; nothing: the best there.",
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["track", "participant"], name="one_participation_in_a_track")
        ]

    def __str__(self) -> str:
        return f"{self.participant} on {self.track}: {self.submissions}"


class TrackCounts(models.Model):
    """What a track's card tells, kept with what it counts; `counts` is the only module that writes it."""

    track = models.OneToOneField(Track, on_delete=models.CASCADE, related_name="counts")
    participants = models.PositiveIntegerField(default=0, db_default=0)
    submissions = models.PositiveIntegerField(default=0, db_default=0)

    def __str__(self) -> str:
        return f"{self.track}: {self.submissions} submissions of {self.participants} participants"


class Score(models.Model):
    """One metric's value on one split, with its 95% confidence interval."""

    evaluation = models.ForeignKey(Evaluation, on_delete=models.CASCADE, related_name="scores")
    metric = models.CharField(max_length=40)
    split = models.CharField(max_length=8, choices=[(s.value, s.value) for s in Split], default=Split.PUBLIC)
    value = models.FloatField()
    ci_low = models.FloatField()
    ci_high = models.FloatField()
    higher_is_better = models.BooleanField()
    version = models.CharField(max_length=20)
    details = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["evaluation", "split", "metric"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["evaluation", "metric", "split"], name="one_score_per_metric_and_split"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric} ({self.split}): {self.value:.6g}"


class Worker(models.Model):
    """A worker as it last showed itself, by the database's clock. One that is gone keeps its row for a while."""

    class State(models.TextChoices):
        """What it does with waiting evaluations.

        A worker says itself that it serves, rests or has stopped. One that operators drain ends what it has and
        claims no more: first it is draining, then drained.
        """

        SERVING = "serving"
        RESTING = "resting"
        DRAINING = "draining"
        DRAINED = "drained"
        STOPPED = "stopped"

    name = models.CharField(max_length=100, unique=True, help_text="As on leases.")
    machine = models.CharField(max_length=100)
    version = models.CharField(max_length=40)
    environment = models.JSONField(default=dict, help_text="Packages that entries run with.")
    queues = models.JSONField(default=list, help_text="Hardware classes that it works for.")
    memory_bytes = models.BigIntegerField(null=True, help_text="What a run may have of its machine's memory.")
    state = models.CharField(max_length=12, choices=State.choices, default=State.SERVING)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    evaluation = models.ForeignKey(
        Evaluation, on_delete=models.SET_NULL, null=True, related_name="+", help_text="What it works on."
    )
    free_bytes = models.BigIntegerField(null=True, help_text="On the disk that it works on.")
    clock_ahead_s = models.FloatField(null=True, help_text="Of the database's clock.")

    drain_requested_at = models.DateTimeField(
        null=True, help_text="Since when it may claim nothing. Operators write it, the worker does not."
    )

    fault_at = models.DateTimeField(null=True, help_text="Its last fault.")
    fault_cause = models.CharField(max_length=20, blank=True, default="")
    fault_reference = models.CharField(max_length=12, blank=True, default="")

    rests_since = models.DateTimeField(null=True)
    rest_cause = models.CharField(max_length=20, blank=True, default="")
    next_try_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["name"]
        indexes: ClassVar = [models.Index(fields=["seen_at"], name="worker_seen")]

    def __str__(self) -> str:
        return self.name

    @property
    def present_state(self) -> State:
        """Return what it does with waiting evaluations: what it says itself, unless operators drain it."""
        own = self.State(self.state)
        takes_part = own in (self.State.SERVING, self.State.RESTING)
        return self.State.DRAINING if takes_part and self.drain_requested_at else own
