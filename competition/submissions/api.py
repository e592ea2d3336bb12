"""Submissions in the API: upload, follow, read the report, cancel. Strangers' submissions are a 404."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

import django_filters
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.api import choices
from competition.api.errors import Problem, problem_of_rejected
from competition.submissions import queue, quotas, reports, selectors, services
from competition.submissions.models import Evaluation, Submission
from competition.tracks.api import SlotsOutput, max_upload_bytes
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
from scoring.contracts import Status
from scoring.errors import Rejected, reject

MULTIPART_OVERHEAD_BYTES = 64 * 1024  # boundaries, headers and small fields around the file


# --- what goes in and out ------------------------------------------------------------------------


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

    entry = serializers.FileField(allow_empty_file=True, help_text="The entry: a .zip or .onnx file.")


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


class ScoreOutput(serializers.Serializer[Any]):
    """One score with its 95 % confidence interval."""

    value = serializers.FloatField()
    ci = serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)
    higher_is_better = serializers.BooleanField()
    version = serializers.CharField()
    details = serializers.DictField(child=serializers.FloatField())


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
    samples = serializers.IntegerField()
    timings_s = serializers.DictField(child=serializers.FloatField())
    isolated = serializers.BooleanField(allow_null=True)
    reference = serializers.CharField()
    fault = serializers.CharField(required=False, help_text="For staff only.")


# --- which submissions -----------------------------------------------------------------------------


def newest_evaluation(submission: Submission) -> Evaluation:
    """Return the evaluation that speaks for a submission: the newest benchmark version's."""
    return selectors.newest_first(submission)[0]


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
        _refuse_large_body(request, settings.MAX_UPLOAD_BYTES)
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
        _refuse_large_body(request, max_upload_bytes(track))
        submission = self._accept(request, user, track)
        body = SubmissionDetailOutput(find_submission(user, submission.pk), context={"request": request}).data
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": body["urls"]["api"]})

    def _accept(self, request: Request, user: User, track: Track) -> Submission:
        try:
            entry = request.FILES.get("entry")
            if entry is None:
                raise reject("empty_upload")
            return services.accept_submission(
                participant=user, track=track, upload=entry, name=entry.name or "entry"
            )
        except Rejected as rejected:
            raise _explain_refusal(rejected, request, user, track) from rejected


class ListSubmissions(generics.ListAPIView[Submission]):
    """List one's own submissions."""

    permission_classes = (IsAuthenticated,)
    serializer_class = SubmissionOutput
    filterset_class = SubmissionFilter

    def get_queryset(self) -> QuerySet[Submission]:
        """Keep to the caller's own, for staff too: the admin lists everybody's."""
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
        evaluation = newest_evaluation(find_submission(user, id))
        return Response(reports.report(evaluation, now=timezone.now(), for_staff=user.is_staff))


class CancelSubmission(APIView):
    """Cancel a submission."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="cancel_submission", request=None, responses=SubmissionDetailOutput, tags=["submissions"]
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Cancel a submission: at once if it waits, at its next stage if it runs."""
        user = cast(User, request.user)
        evaluation = newest_evaluation(find_submission(user, id))
        if not services.cancel_evaluation(evaluation=evaluation) and evaluation.status != Status.CANCELLED:
            raise Problem(
                status=status.HTTP_409_CONFLICT,
                code="already_finished",
                message="This submission has already ended.",
                hint="Its report shows how.",
            )
        return Response(SubmissionDetailOutput(find_submission(user, id), context={"request": request}).data)


# --- refusals ----------------------------------------------------------------------------------------


def _refuse_large_body(request: Request, allowed_bytes: int) -> None:
    """Refuse by the announced length, so that nobody fills the disk to learn the limit."""
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        raise Problem(
            status=status.HTTP_411_LENGTH_REQUIRED,
            code="length_required",
            message="The upload does not announce its length.",
            hint="Send the header “Content-Length”.",
        )
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    if announced > allowed_bytes + MULTIPART_OVERHEAD_BYTES:
        raise reject("upload_too_large", allowed_bytes=allowed_bytes)


def _explain_refusal(rejected: Rejected, request: Request, user: User, track: Track) -> Problem:
    """Add what helps a program to go on: the earlier submission, or the time of the next slot."""
    if rejected.code == "already_submitted":
        short_id = str(rejected.findings[0].facts["submission"])
        earlier = Submission.objects.filter(participant=user, track=track, id__startswith=short_id).first()
        if earlier is not None:
            url = request.build_absolute_uri(reverse("api-submission", args=[earlier.id]))
            return problem_of_rejected(rejected, extra={"submission": {"id": str(earlier.id), "url": url}})
    if rejected.code == "quota_used_up":
        now = timezone.now()
        next_slot_at = quotas.slots(participant=user, track=track, now=now).next_slot_at
        wait_s = max(1, int((next_slot_at - now).total_seconds()) + 1) if next_slot_at else 1
        return problem_of_rejected(
            rejected,
            extra={"next_slot_at": next_slot_at, "retry_after_s": wait_s},
            headers={"Retry-After": str(wait_s)},
        )
    return problem_of_rejected(rejected)
