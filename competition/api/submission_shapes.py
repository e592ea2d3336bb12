"""Submissions as the API shows them. All fields are read-only; only the entry is sent in."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from competition.api import choices
from competition.api.slot_shapes import SlotsOutput, own_slots
from competition.clock import database_now
from competition.submissions import reports, selectors
from competition.submissions.expected import expected_wait_s
from competition.submissions.models import Evaluation, Submission
from competition.submissions.places import place_of
from scoring.contracts import Status


def newest_evaluation(submission: Submission) -> Evaluation:
    """Return the evaluation that speaks for a submission: the newest benchmark version's."""
    return selectors.newest_first(submission)[0]


class SubmissionUrls(serializers.Serializer[Any]):
    """Addresses that belong to a submission."""

    api = serializers.URLField()
    page = serializers.URLField()
    report = serializers.URLField()
    entry = serializers.URLField()
    cancel = serializers.URLField()
    leaderboard = serializers.URLField()


class SubmissionOutput(serializers.Serializer[Submission]):
    """A submission and the state of its newest evaluation. All fields are read-only."""

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
    score = serializers.SerializerMethodField(
        help_text="The track's metric on the public split; null without one."
    )
    disqualified_because = serializers.CharField(
        read_only=True, allow_null=True, help_text="The organisers' reason; null if it is not disqualified."
    )
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

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_score(self, submission: Submission) -> float | None:
        """Return what the board ranks by."""
        return selectors.ranking_score(newest_evaluation(submission))

    @extend_schema_field(SubmissionUrls)
    def get_urls(self, submission: Submission) -> dict[str, str]:
        """Return absolute addresses."""
        absolute = self.context["request"].build_absolute_uri
        return {
            "api": absolute(reverse("api-submission", args=[submission.id])),
            "page": absolute(submission.get_absolute_url()),
            "report": absolute(reverse("api-report", args=[submission.id])),
            "entry": absolute(reverse("api-entry", args=[submission.id])),
            "cancel": absolute(reverse("api-cancel", args=[submission.id])),
            "leaderboard": absolute(reverse("api-leaderboard", args=[submission.track.slug])),
        }


class SubmissionDetailOutput(SubmissionOutput):
    """A submission with its place in the queue, its reason and its owner's quota."""

    position = serializers.SerializerMethodField(
        help_text="1 is next; null unless queued. Far from the front of a long queue it is rounded."
    )
    paused_at = serializers.SerializerMethodField(
        help_text="Since when the organisers pause the track that it waits on; null otherwise."
    )
    quarantined_because = serializers.CharField(
        source="quarantine.reason",
        default=None,
        read_only=True,
        allow_null=True,
        help_text="Why the organisers keep it from being evaluated; null if they do not.",
    )
    expected_wait_s = serializers.SerializerMethodField(
        help_text="Seconds until it starts at the pace of the last hour; null unless queued, or if nothing started."
    )
    message = serializers.SerializerMethodField()
    hint = serializers.SerializerMethodField()
    cancel_requested = serializers.SerializerMethodField()
    reference = serializers.SerializerMethodField(
        help_text="Identifies a fault on our side when you ask organisers."
    )
    queued_at = serializers.SerializerMethodField()
    started_at = serializers.SerializerMethodField()
    finished_at = serializers.SerializerMethodField()
    quota = serializers.SerializerMethodField()

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_position(self, submission: Submission) -> int | None:
        """Return the place in the queue."""
        place = place_of(newest_evaluation(submission))
        return place.number if place else None

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_paused_at(self, submission: Submission) -> Any:
        """Return since when the track is paused, if that keeps the submission waiting."""
        waits = newest_evaluation(submission).status == Status.QUEUED
        return submission.track.paused_at if waits else None

    @extend_schema_field(serializers.FloatField(allow_null=True))
    def get_expected_wait_s(self, submission: Submission) -> float | None:
        """Return how long it is expected to wait."""
        evaluation = newest_evaluation(submission)
        return expected_wait_s(evaluation, place_of(evaluation), database_now())

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
        return own_slots(submission.participant, submission.track)

    def _report(self, submission: Submission) -> dict[str, Any]:
        return reports.report(newest_evaluation(submission), now=database_now())


class EntryInput(serializers.Serializer[Any]):
    """An upload. Nothing else in the body is looked at."""

    entry = serializers.FileField(
        allow_empty_file=True, help_text="The entry: a .zip, .tar.gz or .onnx file."
    )
