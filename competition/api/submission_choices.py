"""What participants choose for their submissions, and organisers' baselines, in the API."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.api.errors import Problem
from competition.api.submission_shapes import SubmissionDetailOutput
from competition.api.submissions import find_submission
from competition.leaderboard import baselines, choosing
from competition.submissions.models import Baseline, Submission, Visibility
from competition.tracks.access import organises


class ChoicesInput(serializers.Serializer[Any]):
    """What to change; what is left out stays."""

    note = serializers.CharField(
        required=False, allow_blank=True, max_length=choosing.MAX_NOTE, help_text="Organisers read it, too."
    )
    visibility = serializers.ChoiceField(
        required=False, choices=Visibility.choices, help_text="“withdrawn” cannot be taken back."
    )
    is_final = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Whether it counts on the private board."
    )


class ChoicesOutput(serializers.Serializer[Any]):
    """What the participant chose."""

    note = serializers.CharField()
    visibility = serializers.ChoiceField(choices=Visibility.choices)
    is_final = serializers.BooleanField()
    baseline = serializers.CharField(allow_null=True, help_text="Its name as a baseline, if it is one.")


class BaselineInput(serializers.Serializer[Any]):
    """What boards call the baseline."""

    name = serializers.CharField(max_length=80)


class Choices(APIView):
    """Show and change what was chosen for a submission."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="show_choices", responses=ChoicesOutput, tags=["submissions"])
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Show a submission's note, whether boards count it, and whether it is final."""
        return Response(_choices(find_submission(cast(User, request.user), id)))

    @extend_schema(
        operation_id="change_choices", request=ChoicesInput, responses=ChoicesOutput, tags=["submissions"]
    )
    def patch(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Change the note, hide a submission from boards, show or withdraw it, choose it as final."""
        user = cast(User, request.user)
        submission = find_submission(user, id)
        if submission.participant_id != user.pk:
            raise PermissionDenied
        wanted = ChoicesInput(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            _change(submission, wanted.validated_data)
        except choosing.NotPossible as why:
            raise Problem(
                status=status.HTTP_409_CONFLICT, code="choice_not_possible", message=str(why), hint=""
            ) from why
        return Response(_choices(find_submission(user, id)))


class SubmissionBaseline(APIView):
    """Make a submission a baseline, or end that."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="make_baseline",
        request=BaselineInput,
        responses=SubmissionDetailOutput,
        tags=["submissions"],
    )
    def put(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Show an organiser's submission on boards as a baseline of a name, without a rank. For organisers."""
        user, submission = _organised(request, id)
        if not baselines.may_be_baseline(submission):
            raise Problem(
                status=status.HTTP_409_CONFLICT,
                code="not_an_organisers_own",
                message="Only an organiser's own submission can be a baseline.",
                hint="Submit it from an organiser's account.",
            )
        wanted = BaselineInput(data=request.data)
        wanted.is_valid(raise_exception=True)
        baselines.make_baseline(submission=submission, name=wanted.validated_data["name"], by=user)
        return Response(SubmissionDetailOutput(find_submission(user, id), context={"request": request}).data)

    @extend_schema(operation_id="end_baseline", responses={204: None}, tags=["submissions"])
    def delete(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Let a baseline count like any other submission again. For organisers."""
        user, submission = _organised(request, id)
        baselines.end_baseline(submission=submission, by=user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _organised(request: Request, submission_id: UUID) -> tuple[User, Submission]:
    user = cast(User, request.user)
    submission = find_submission(user, submission_id)
    if not organises(user, submission.track.competition_id):
        raise PermissionDenied
    return user, submission


def _change(submission: Submission, wanted: dict[str, Any]) -> None:
    if "note" in wanted:
        choosing.set_note(submission, wanted["note"])
    if "visibility" in wanted:
        choosing.set_visibility(submission, Visibility(wanted["visibility"]))
    if wanted["is_final"] is not None:
        choosing.choose_final(submission, is_final=wanted["is_final"])


def _choices(submission: Submission) -> dict[str, object]:
    return {
        "note": submission.note,
        "visibility": submission.visibility,
        "is_final": choosing.is_chosen(submission),
        "baseline": Baseline.objects.filter(submission=submission).values_list("name", flat=True).first(),
    }
