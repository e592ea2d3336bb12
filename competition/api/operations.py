"""What operators see and do, in the API: workers, queues, what went wrong; drain, pause, retry, quarantine."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.api.errors import Problem
from competition.api.submission_shapes import SubmissionDetailOutput
from competition.api.submissions import find_submission
from competition.api.track_shapes import TrackOutput
from competition.clock import database_now
from competition.submissions import operating, selectors, services
from competition.submissions.models import Submission, Worker
from competition.submissions.overview import overview
from competition.tracks.access import sees_all
from competition.tracks.models import Track
from competition.tracks.selectors import may_change, tracks_for

MAX_REASON = 1_000


class IsOperator(BasePermission):
    """Superusers run the site."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Admit them alone."""
        return sees_all(request.user)


# --- shapes --------------------------------------------------------------------------------------


class PackageDifferenceOutput(serializers.Serializer[Any]):
    """A package that entries would run with in another version; empty where site or worker lack it."""

    name = serializers.CharField()
    site = serializers.CharField(allow_blank=True)
    worker = serializers.CharField(allow_blank=True)


class WorkerOutput(serializers.Serializer[Any]):
    """A worker as it last showed itself, and what operators asked of it."""

    id = serializers.IntegerField(source="worker.pk")
    name = serializers.CharField(source="worker.name")
    machine = serializers.CharField(source="worker.machine")
    state = serializers.ChoiceField(
        choices=Worker.State.values, allow_null=True, help_text="null: it vanished without a word."
    )
    queues = serializers.ListField(child=serializers.CharField(), source="worker.queues")
    memory_bytes = serializers.IntegerField(
        source="worker.memory_bytes", allow_null=True, help_text="What a run may have there."
    )
    version = serializers.CharField(source="worker.version")
    is_other_version = serializers.BooleanField(help_text="Whether the site runs another one.")
    packages = PackageDifferenceOutput(many=True)
    submission = serializers.UUIDField(source="evaluation.submission_id", default=None, allow_null=True)
    free_bytes = serializers.IntegerField(source="worker.free_bytes", allow_null=True)
    clock_ahead_s = serializers.FloatField(source="worker.clock_ahead_s", allow_null=True)
    fault_at = serializers.DateTimeField(source="worker.fault_at", allow_null=True)
    fault_cause = serializers.CharField(source="worker.fault_cause", allow_blank=True)
    fault_reference = serializers.CharField(source="worker.fault_reference", allow_blank=True)
    drain_requested_at = serializers.DateTimeField(source="worker.drain_requested_at", allow_null=True)
    started_at = serializers.DateTimeField(source="worker.started_at")
    seen_at = serializers.DateTimeField(source="worker.seen_at")


class QueueOutput(serializers.Serializer[Any]):
    """What waits on a track, or that it is paused."""

    track = serializers.CharField(source="track.slug")
    queue = serializers.CharField(source="track.queue", help_text="Hardware class.")
    fresh = serializers.IntegerField()
    again = serializers.IntegerField(help_text="To be rescored, after all that is fresh.")
    oldest_s = serializers.FloatField(allow_null=True)
    wait_s = serializers.FloatField(
        allow_null=True, help_text="Until the last fresh entry is begun; null where nobody can tell."
    )
    is_served = serializers.BooleanField(help_text="Whether a worker takes entries of the class.")
    paused_at = serializers.DateTimeField(source="track.paused_at", allow_null=True)


class FaultsOutput(serializers.Serializer[Any]):
    """Faults of the last day with one cause."""

    cause = serializers.CharField()
    number = serializers.IntegerField()
    last_at = serializers.DateTimeField(source="last.at")
    last_reference = serializers.CharField(source="last.reference")


class RejectionsOutput(serializers.Serializer[Any]):
    """Rejections of the last day with one code."""

    code = serializers.CharField()
    number = serializers.IntegerField()


class FailedOutput(serializers.Serializer[Any]):
    """An evaluation that failed by a fault of ours."""

    submission = serializers.UUIDField(source="submission_id")
    track = serializers.CharField(source="submission.track.slug")
    participant = serializers.CharField(source="submission.participant.username")
    reference = serializers.CharField()
    finished_at = serializers.DateTimeField()


class QuarantinedOutput(serializers.Serializer[Any]):
    """A submission that no worker claims."""

    submission = serializers.UUIDField(source="submission_id")
    track = serializers.CharField(source="submission.track.slug")
    participant = serializers.CharField(source="submission.participant.username")
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class OverviewOutput(serializers.Serializer[Any]):
    """Workers and queues, what went wrong in the last day, and what is held up; of long lists, the newest."""

    now = serializers.DateTimeField()
    version = serializers.CharField(help_text="Of the site.")
    workers = WorkerOutput(many=True)
    queues = QueueOutput(many=True)
    faults = FaultsOutput(many=True)
    rejections = RejectionsOutput(many=True)
    failed = FailedOutput(many=True)
    failed_number = serializers.IntegerField()
    quarantined = QuarantinedOutput(many=True)
    quarantined_number = serializers.IntegerField()


class ReasonInput(serializers.Serializer[Any]):
    """Why; the participant reads it."""

    reason = serializers.CharField(max_length=MAX_REASON)


# --- the site as a whole -------------------------------------------------------------------------


class ShowOperations(APIView):
    """Show how the site does."""

    permission_classes = (IsAuthenticated, IsOperator)

    @extend_schema(operation_id="show_operations", responses=OverviewOutput, tags=["operations"])
    def get(self, request: Request) -> Response:
        """Show how workers and queues do, what went wrong, and what is held up; for superusers."""
        return _overview()


class DrainWorker(APIView):
    """Drain a worker."""

    permission_classes = (IsAuthenticated, IsOperator)

    @extend_schema(operation_id="drain_worker", request=None, responses=OverviewOutput, tags=["operations"])
    def post(self, request: Request, pk: int) -> Response:
        """Drain a worker: it ends what it has and claims no more, until it is resumed."""
        operating.drain(worker=get_object_or_404(Worker, pk=pk), by=cast(User, request.user))
        return _overview()


class ResumeWorker(APIView):
    """Resume a worker."""

    permission_classes = (IsAuthenticated, IsOperator)

    @extend_schema(operation_id="resume_worker", request=None, responses=OverviewOutput, tags=["operations"])
    def post(self, request: Request, pk: int) -> Response:
        """Let a drained worker claim entries again."""
        operating.resume_worker(worker=get_object_or_404(Worker, pk=pk), by=cast(User, request.user))
        return _overview()


def _overview() -> Response:
    return Response(OverviewOutput(overview(database_now())).data)


# --- tracks --------------------------------------------------------------------------------------


class PauseTrack(APIView):
    """Pause a track."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="pause_track", request=None, responses=TrackOutput, tags=["operations"])
    def post(self, request: Request, slug: str) -> Response:
        """Pause a track: no worker claims its entries, uploads stay open; for its organisers."""
        track = _own_track(request, slug)
        operating.pause_track(track=track, by=cast(User, request.user))
        return Response(TrackOutput(track, context={"request": request}).data)


class ResumeTrack(APIView):
    """Resume a track."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="resume_track", request=None, responses=TrackOutput, tags=["operations"])
    def post(self, request: Request, slug: str) -> Response:
        """Let workers claim the entries of a paused track again; for its organisers."""
        track = _own_track(request, slug)
        operating.resume_track(track=track, by=cast(User, request.user))
        return Response(TrackOutput(track, context={"request": request}).data)


def _own_track(request: Request, slug: str) -> Track:
    user = cast(User, request.user)
    track = get_object_or_404(tracks_for(user), slug=slug)
    if not may_change(user, track):
        raise PermissionDenied
    return track


# --- submissions ---------------------------------------------------------------------------------


class RetrySubmission(APIView):
    """Retry a failed submission."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="retry_submission", request=None, responses=SubmissionDetailOutput, tags=["operations"]
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Queue a submission again that failed by a fault of ours; for organisers."""
        submission = _operable(request, id)
        if not services.retry_failed(submission=submission, by=cast(User, request.user)):
            raise Problem(
                status=status.HTTP_409_CONFLICT,
                code="not_failed",
                message="This submission has not failed.",
                hint="See its status: it waits, runs or has a result.",
            )
        return _shown(request, id)


class QuarantineSubmission(APIView):
    """Put a submission in quarantine."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="quarantine_submission",
        request=ReasonInput,
        responses=SubmissionDetailOutput,
        tags=["operations"],
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Put a submission in quarantine: no worker claims it until it is released; for organisers."""
        submission = _operable(request, id)
        given = ReasonInput(data=request.data)
        given.is_valid(raise_exception=True)
        reason = given.validated_data["reason"]
        operating.quarantine(submission=submission, reason=reason, by=cast(User, request.user))
        return _shown(request, id)


class ReleaseSubmission(APIView):
    """Release a submission from quarantine."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="release_submission",
        request=None,
        responses=SubmissionDetailOutput,
        tags=["operations"],
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Release a submission from quarantine; it kept its place. For organisers."""
        operating.release(submission=_operable(request, id), by=cast(User, request.user))
        return _shown(request, id)


def _operable(request: Request, submission_id: UUID) -> Submission:
    user = cast(User, request.user)
    submission = find_submission(user, submission_id)
    if not selectors.may_operate(user, submission):
        raise PermissionDenied
    return submission


def _shown(request: Request, submission_id: UUID) -> Response:
    submission = find_submission(cast(User, request.user), submission_id)
    return Response(SubmissionDetailOutput(submission, context={"request": request}).data)
