"""Submissions as the API shows them. All of it is the server's to say; only the entry comes in."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from competition.api import choices
from competition.submissions import queue, quotas, reports, selectors
from competition.submissions.models import Evaluation, Submission
from competition.tracks.api import SlotsOutput


def newest_evaluation(submission: Submission) -> Evaluation:
    """Return the evaluation that speaks for a submission: the newest benchmark version's."""
    return selectors.newest_first(submission)[0]


class SubmissionUrls(serializers.Serializer[Any]):
    """Addresses that belong to a submission."""

    api = serializers.URLField()
    page = serializers.URLField()
    report = serializers.URLField()
    cancel = serializers.URLField()
    leaderboard = serializers.URLField()


class SubmissionOutput(serializers.Serializer[Submission]):
    """A submission and where its newest evaluation stands. All of it is the server's to say."""

    id = serializers.UUIDField(read_only=True)
    track = serializers.CharField(source="track.slug", read_only=True)
    participant = serializers.CharField(source="participant.username", read_only=True)
    entry_name = serializers.CharField(read_only=True)
    entry_bytes = serializers.IntegerField(read_only=True)
    sha256 = serializers.CharField(read_only=True)
    created_at = serializers.DateTimeField(read_only=True)
    status = serializers.SerializerMethodField()
    stage = serializers.SerializerMethodField()
    code = serializers.SerializerMethodField()
    is_final = serializers.SerializerMethodField()
    urls = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(choices=choices.STATUSES))
    def get_status(self, submission: Submission) -> str:
        """Return the life's present chapter."""
        return newest_evaluation(submission).status

    @extend_schema_field(serializers.ChoiceField(choices=choices.STAGES, allow_blank=True))
    def get_stage(self, submission: Submission) -> str:
        """Return the progress; empty before the first stage."""
        return newest_evaluation(submission).stage

    def get_code(self, submission: Submission) -> str:
        """Return why it ended as it did; empty unless it was refused."""
        return newest_evaluation(submission).code

    def get_is_final(self, submission: Submission) -> bool:
        """Say whether nothing more will happen by itself."""
        return newest_evaluation(submission).is_final

    @extend_schema_field(SubmissionUrls)
    def get_urls(self, submission: Submission) -> dict[str, str]:
        """Return absolute addresses."""
        absolute = self.context["request"].build_absolute_uri
        return {
            "api": absolute(reverse("api-submission", args=[submission.id])),
            "page": absolute(submission.get_absolute_url()),
            "report": absolute(reverse("api-report", args=[submission.id])),
            "cancel": absolute(reverse("api-cancel", args=[submission.id])),
            "leaderboard": absolute(reverse("api-leaderboard", args=[submission.track.slug])),
        }


class SubmissionDetailOutput(SubmissionOutput):
    """A submission with its place in the queue, its reason and its owner's quota."""

    position = serializers.SerializerMethodField(help_text="1 is next; null unless queued.")
    message = serializers.SerializerMethodField()
    hint = serializers.SerializerMethodField()
    cancel_requested = serializers.SerializerMethodField()
    reference = serializers.SerializerMethodField(help_text="Names a fault of ours when you ask staff.")
    queued_at = serializers.SerializerMethodField()
    started_at = serializers.SerializerMethodField()
    finished_at = serializers.SerializerMethodField()
    quota = serializers.SerializerMethodField()

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_position(self, submission: Submission) -> int | None:
        """Return the place in the queue."""
        return queue.position(newest_evaluation(submission))

    def get_message(self, submission: Submission) -> str:
        """Return the reason as a sentence."""
        return str(self._report(submission).get("message", ""))

    def get_hint(self, submission: Submission) -> str:
        """Return what to do."""
        return str(self._report(submission).get("hint", ""))

    def get_cancel_requested(self, submission: Submission) -> bool:
        """Say whether the run will stop at its next stage."""
        return newest_evaluation(submission).cancel_requested

    def get_reference(self, submission: Submission) -> str:
        """Return the reference id."""
        return newest_evaluation(submission).reference

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_queued_at(self, submission: Submission) -> Any:
        """Return when the evaluation was queued."""
        return newest_evaluation(submission).queued_at

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_started_at(self, submission: Submission) -> Any:
        """Return when the newest attempt began."""
        return newest_evaluation(submission).started_at

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_finished_at(self, submission: Submission) -> Any:
        """Return when it ended."""
        return newest_evaluation(submission).finished_at

    @extend_schema_field(SlotsOutput)
    def get_quota(self, submission: Submission) -> dict[str, object]:
        """Return the owner's slots on the track."""
        slots = quotas.slots(participant=submission.participant, track=submission.track, now=timezone.now())
        return dict(SlotsOutput(slots).data)

    def _report(self, submission: Submission) -> dict[str, Any]:
        return reports.report(newest_evaluation(submission), now=timezone.now())


class EntryInput(serializers.Serializer[Any]):
    """An upload. Nothing else in the body is looked at."""

    entry = serializers.FileField(
        allow_empty_file=True, help_text="The entry: a .zip, .tar.gz or .onnx file."
    )


class FindingOutput(serializers.Serializer[Any]):
    """One thing found in an entry."""

    code = serializers.CharField()
    path = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    warning = serializers.BooleanField()


class UsageOutput(serializers.Serializer[Any]):
    """What was measured."""

    parameters = serializers.IntegerField()
    trainable_parameters = serializers.IntegerField()
    macs = serializers.IntegerField()
    macs_by_counter = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    uncounted_ops = serializers.ListField(child=serializers.CharField())
    package_bytes = serializers.IntegerField()
    cpu_s_per_sample = serializers.FloatField(allow_null=True)
    latency_p50_ms = serializers.FloatField(allow_null=True, help_text="Where the track has a latency gate.")
    latency_p95_ms = serializers.FloatField(allow_null=True)


class ScoreOutput(serializers.Serializer[Any]):
    """One score with its 95 % confidence interval."""

    value = serializers.FloatField()
    ci = serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)
    higher_is_better = serializers.BooleanField()
    version = serializers.CharField()
    details = serializers.DictField(child=serializers.FloatField())


class ShareOutput(serializers.Serializer[Any]):
    """How many samples of one part were called right."""

    samples = serializers.IntegerField()
    correct = serializers.IntegerField()
    accuracy = serializers.FloatField()


class BreakdownOutput(serializers.Serializer[Any]):
    """Where an entry is right and wrong on the public split."""

    by_label = serializers.DictField(child=ShareOutput())
    by_group = serializers.DictField(child=ShareOutput())
    confusion = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="Rows are labels, columns the classes called; empty where there are many.",
    )


class QuantisedOutput(serializers.Serializer[Any]):
    """What the same entry scores with its graph quantised."""

    precision = serializers.ChoiceField(choices=choices.PRECISIONS)
    calibration_samples = serializers.IntegerField()
    share_in_8_bits = serializers.FloatField(help_text="Share of the MACs whose factors are both of 8 bits.")
    drop_points = serializers.FloatField(
        help_text="What the ranking metric lost on the public split, in points of a hundred."
    )
    max_drop_points = serializers.FloatField()
    scores = serializers.DictField(child=ScoreOutput())
    private_scores = serializers.DictField(child=ScoreOutput())


class ReportOutput(serializers.Serializer[Any]):
    """The report that the command line prints with --json, with `status` and `stage`."""

    status = serializers.ChoiceField(choices=choices.STATUSES)
    stage = serializers.CharField()
    verdict = serializers.ChoiceField(choices=choices.VERDICTS, allow_null=True)
    code = serializers.CharField()
    message = serializers.CharField()
    hint = serializers.CharField()
    findings = FindingOutput(many=True)
    format = serializers.CharField(allow_null=True)
    track = serializers.CharField()
    benchmark = serializers.CharField(allow_null=True)
    usage = UsageOutput(allow_null=True)
    scores = serializers.DictField(child=ScoreOutput())
    private_scores = serializers.DictField(
        child=ScoreOutput(), help_text="Empty until the track shows them; staff see them at once."
    )
    quantised = QuantisedOutput(allow_null=True, help_text="Null where the track asks for one score.")
    breakdown = BreakdownOutput(allow_null=True)
    class_names = serializers.ListField(
        child=serializers.CharField(),
        help_text="Names of the labels of `breakdown`, by number; may be empty.",
    )
    samples = serializers.IntegerField()
    timings_s = serializers.DictField(child=serializers.FloatField())
    applied = serializers.DictField(
        child=serializers.CharField(),
        help_text="What of the package's own pre- and postprocessing was done, where a format states any.",
    )
    isolated = serializers.BooleanField(allow_null=True)
    reference = serializers.CharField()
    fault = serializers.CharField(required=False, help_text="For staff only.")
