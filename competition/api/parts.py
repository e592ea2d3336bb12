"""Entries whose parts go straight into the store: begun, signed, put together. Where that is not set up, 404s."""

from __future__ import annotations

from typing import Any, Final, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.api.errors import Problem
from competition.api.submissions import explain_refusal
from competition.api.tus import PROBLEMS, find_upload
from competition.api.upload_shapes import DirectUploadOutput, PartialUploadOutput
from competition.submissions import resuming
from competition.submissions.models import PartialUpload
from competition.tracks.selectors import tracks_for
from scoring.errors import Rejected

MOST_AT_ONCE: Final = 100
"""How many addresses are signed in one request."""


class DirectUploadInput(serializers.Serializer[Any]):
    """What is known of an entry before its first byte is sent."""

    entry_name = serializers.CharField(max_length=255)
    entry_bytes = serializers.IntegerField(min_value=0)
    sha256 = serializers.RegexField(r"^[0-9a-f]{64}$", required=False, default="")


class PartNumbersInput(serializers.Serializer[Any]):
    """Which parts will be sent next."""

    numbers = serializers.ListField(
        child=serializers.IntegerField(min_value=1), min_length=1, max_length=MOST_AT_ONCE
    )


class SignedPart(serializers.Serializer[Any]):
    """Where a part goes by PUT, within an hour."""

    number = serializers.IntegerField()
    url = serializers.URLField()


class SignedPartsOutput(serializers.Serializer[Any]):
    """An address for each part."""

    parts = SignedPart(many=True)


class CreateDirectUpload(APIView):
    """Begin an upload past the site."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="create_direct_upload",
        request=DirectUploadInput,
        responses={201: DirectUploadOutput},
        tags=["submissions"],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Begin an upload whose parts go straight into the store. Not found where the site takes all bytes itself."""
        user = cast(User, request.user)
        track = get_object_or_404(tracks_for(user), slug=slug)
        if not resuming.go_past_the_site():
            raise Http404
        given = DirectUploadInput(data=request.data)
        given.is_valid(raise_exception=True)
        entry = given.validated_data
        try:
            upload = resuming.begin(
                participant=user,
                track=track,
                name=entry["entry_name"],
                entry_bytes=entry["entry_bytes"],
                sha256=entry["sha256"],
                past_the_site=True,
            )
        except Rejected as rejected:
            raise explain_refusal(rejected, request, user, track) from rejected
        headers = {"Location": reverse("api-upload", args=[upload.pk])}
        return Response(DirectUploadOutput(upload).data, status=status.HTTP_201_CREATED, headers=headers)


class ShowParts(APIView):
    """Tell which parts are there, and where the others go."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(operation_id="show_parts", responses=DirectUploadOutput, tags=["submissions"])
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Show which parts the store has."""
        return Response(DirectUploadOutput(_direct(request, id)).data)

    @extend_schema(
        operation_id="sign_parts", request=PartNumbersInput, responses=SignedPartsOutput, tags=["submissions"]
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Sign addresses for parts. PUT each part, in exactly its size, to its own within an hour."""
        upload = _direct(request, id)
        given = PartNumbersInput(data=request.data)
        given.is_valid(raise_exception=True)
        numbers = given.validated_data["numbers"]
        if not set(numbers) <= set(resuming.sizes(upload.entry_bytes)):
            raise serializers.ValidationError({"numbers": ["The upload has no such part."]})
        signed = resuming.sign(upload, numbers)
        return Response({"parts": [{"number": number, "url": url} for number, url in signed.items()]})


class CompleteDirectUpload(APIView):
    """Make a submission of the parts."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        operation_id="complete_direct_upload",
        request=None,
        responses=PartialUploadOutput,
        tags=["submissions"],
    )
    def post(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Make a submission of the parts, once the store has all. Safe to repeat: it is one submission."""
        upload = _direct(request, id)
        try:
            if upload.submission_id is None:
                resuming.finish_parts(upload)
        except Rejected as rejected:
            raise explain_refusal(rejected, request, upload.participant, upload.track) from rejected
        except resuming.Incomplete as incomplete:
            raise Problem(
                status=status.HTTP_409_CONFLICT,
                code="parts_missing",
                message=f"The store lacks {len(incomplete.numbers):,} parts, or has them in another size.",
                hint="Send the parts listed in “numbers” again.",
                extra={"numbers": incomplete.numbers[:MOST_AT_ONCE]},
            ) from incomplete
        except (resuming.Elsewhere, resuming.Occupied) as refusal:
            raise PROBLEMS[type(refusal)]() from refusal
        upload.refresh_from_db()
        return Response(PartialUploadOutput(upload).data)


def _direct(request: Request, upload_id: UUID) -> PartialUpload:
    upload = find_upload(cast(User, request.user), upload_id)
    if not upload.multipart_id:
        raise Http404
    return upload
