"""Submissions in the API: upload, follow, read the report, cancel. Strangers' submissions are a 404."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

import django_filters
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.api import choices
from competition.api.errors import Problem, problem_of_rejected
from competition.api.parsers import MultiPartParser
from competition.api.report_shapes import ReportOutput
from competition.api.submission_shapes import (
    EntryInput,
    SubmissionDetailOutput,
    SubmissionOutput,
    newest_evaluation,
)
from competition.clock import database_now
from competition.submissions import quotas, reports, selectors, services
from competition.submissions.entry_files import entry_response
from competition.submissions.models import Evaluation, Submission
from competition.submissions.upload_size import announced_bytes, refuse_large_body
from competition.tracks.access import organises
from competition.tracks.binding import max_upload_bytes
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
from scoring.contracts import Status
from scoring.errors import Rejected, reject

# --- which submissions -----------------------------------------------------------------------------


def find_submission(viewer: User, submission_id: UUID) -> Submission:
    """Return a submission that the viewer may see; a 404 hides that there are others."""
    return get_object_or_404(selectors.submissions_visible_to(viewer), pk=submission_id)


class SubmissionFilter(django_filters.FilterSet):  # type: ignore[misc]  # the library has no types
    """Ways to narrow the list of submissions."""

    track = django_filters.CharFilter(field_name="track__slug", label="Slug of the track.")
    status = django_filters.ChoiceFilter(
        method="by_status", choices=[(value, value) for value in choices.STATUSES]
    )

    class Meta:
        model = Submission
        fields = ("track",)

    def by_status(self, submissions: QuerySet[Submission], name: str, wanted: str) -> QuerySet[Submission]:
        """Keep submissions whose newest evaluation has the status."""
        evaluations = Evaluation.objects.filter(submission=OuterRef("pk")).order_by("-benchmark__number")
        newest = Subquery(evaluations.values("status")[:1])
        return submissions.alias(newest_status=newest).filter(newest_status=wanted)


# --- the operations --------------------------------------------------------------------------------


class CreateSubmission(APIView):
    """Submit an entry."""

    permission_classes = (IsAuthenticated,)
    parser_classes = (MultiPartParser,)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse by size first: signing in by session reads the body, to look for its CSRF token."""
        refuse_unannounced_body(request)
        refuse_large_body(request, allowed_bytes=settings.MAX_UPLOAD_BYTES)
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="submit_entry",
        request={"multipart/form-data": EntryInput},
        responses={201: SubmissionDetailOutput},
        tags=["submissions"],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Submit an entry. Sending the same file again is safe: it answers 409 and names the first one."""
        user = cast(User, request.user)
        track = get_object_or_404(tracks_for(user), slug=slug)
        refuse_large_body(request, allowed_bytes=max_upload_bytes(track))
        submission = self._accept(request, user, track)
        body = SubmissionDetailOutput(find_submission(user, submission.pk), context={"request": request}).data
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": body["urls"]["api"]})

    def _accept(self, request: Request, user: User, track: Track) -> Submission:
        try:
            services.refuse_unread(participant=user, track=track, announced_bytes=announced_bytes(request))
            entry = request.FILES.get("entry")
            if entry is None:
                raise reject("empty_upload")
            return services.accept_submission(
                participant=user, track=track, upload=entry, name=entry.name or "entry"
            )
        except Rejected as rejected:
            raise explain_refusal(rejected, request, user, track) from rejected


class ListSubmissions(generics.ListAPIView[Submission]):
    """List one's own submissions."""

    permission_classes = (IsAuthenticated,)
    serializer_class = SubmissionOutput
    filterset_class = SubmissionFilter

    def get_queryset(self) -> QuerySet[Submission]:
        """Keep to the caller's own, for organisers too: the admin lists what they look after."""
        if getattr(self, "swagger_fake_view", False):
            return Submission.objects.none()
        return selectors.submissions_of(cast(User, self.request.user))

    @extend_schema(operation_id="list_submissions", tags=["submissions"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List your own submissions, the newest first."""
        return super().get(request, *args, **kwargs)


class ShowSubmission(APIView):
    """Show where a submission stands."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="show_submission", responses=SubmissionDetailOutput, tags=["submissions"])
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Show where a submission stands: status, stage, place in the queue, reason."""
        submission = find_submission(cast(User, request.user), id)
        return Response(SubmissionDetailOutput(submission, context={"request": request}).data)


class ShowReport(APIView):
    """Show the report."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="show_report", responses=ReportOutput, tags=["submissions"])
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Show a submission's report: findings, usage, scores, timings."""
        user = cast(User, request.user)
        submission = find_submission(user, id)
        for_organisers = organises(user, submission.track.competition_id)
        evaluation = newest_evaluation(submission)
        return Response(reports.report(evaluation, now=database_now(), for_organisers=for_organisers))


class DownloadEntry(APIView):
    """Download an entry."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="download_entry",
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
        tags=["submissions"],
    )
    def get(self, request: Request, id: UUID) -> FileResponse:  # noqa: A002  # named as in the address
        """Download an entry as it was uploaded, with its SHA-256 in the header “Repr-Digest”."""
        user = cast(User, request.user)
        return entry_response(find_submission(user, id), reader=user)


class CancelSubmission(APIView):
    """Cancel a submission."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="cancel_submission", request=None, responses=SubmissionDetailOutput, tags=["submissions"]
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Cancel a submission: at once if it waits, at its next stage if it runs."""
        user = cast(User, request.user)
        submission = find_submission(user, id)
        evaluation = newest_evaluation(submission)
        if not selectors.may_cancel(user, evaluation):
            raise PermissionDenied
        cancelled = services.cancel_evaluation(evaluation=evaluation, by=user)
        if not cancelled and evaluation.status != Status.CANCELLED:
            raise Problem(
                status=status.HTTP_409_CONFLICT,
                code="already_finished",
                message="This submission has already finished.",
                hint="See its report for the result.",
            )
        return Response(SubmissionDetailOutput(find_submission(user, id), context={"request": request}).data)


class QueueSubmission(APIView):
    """Queue a cancelled submission again."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="queue_submission", request=None, responses=SubmissionDetailOutput, tags=["submissions"]
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Queue a submission again that you cancelled; it takes a slot of your quota like an upload."""
        user = cast(User, request.user)
        submission = find_submission(user, id)
        if submission.participant_id != user.pk:
            raise PermissionDenied
        try:
            queued = services.queue_again(submission=submission)
        except Rejected as rejected:
            raise explain_refusal(rejected, request, user, submission.track) from rejected
        if not queued:
            raise Problem(
                status=status.HTTP_409_CONFLICT,
                code="not_cancelled",
                message="This submission was not cancelled.",
                hint="See its status: it waits, runs or has ended by itself.",
            )
        return Response(SubmissionDetailOutput(find_submission(user, id), context={"request": request}).data)


# --- refusals ----------------------------------------------------------------------------------------


def refuse_unannounced_body(request: Request) -> None:
    """Refuse a body without an announced length: it would fill the disk to learn the limit."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise Problem(
            status=status.HTTP_411_LENGTH_REQUIRED,
            code="length_required",
            message="The upload does not state its length.",
            hint="Send the header “Content-Length”.",
        )


def explain_refusal(rejected: Rejected, request: Request, user: User, track: Track) -> Problem:
    """Add what helps a program to go on: the earlier submission, or the time of the next slot."""
    if rejected.code == "already_submitted":
        return problem_of_rejected(rejected, extra={"submission": _earlier(rejected, request)})
    if rejected.code == "quota_used_up":
        now = database_now()
        next_slot_at = quotas.slots(participant=user, track=track, now=now).next_slot_at
        wait_s = max(1, int((next_slot_at - now).total_seconds()) + 1) if next_slot_at else 1
        return problem_of_rejected(
            rejected,
            extra={"next_slot_at": next_slot_at, "retry_after_s": wait_s},
            headers={"Retry-After": str(wait_s)},
        )
    return problem_of_rejected(rejected)


def _earlier(rejected: Rejected, request: Request) -> dict[str, object]:
    """Describe the submission that the same file became."""
    earlier = selectors.earlier_submission(rejected)
    return {
        "id": str(earlier.id),
        "url": request.build_absolute_uri(reverse("api-submission", args=[earlier.id])),
        "page": request.build_absolute_uri(earlier.get_absolute_url()),
        "created_at": earlier.created_at,
        "status": rejected.findings[0].facts["status"],
    }
