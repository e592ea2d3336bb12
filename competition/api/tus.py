"""Uploads in pieces by the tus protocol, version 1.0.0: https://tus.io/protocols/resumable-upload.

Creation, creation with upload, checksums, expiration and termination. What the protocol leaves open: once all bytes are
there, the header “Podium-Submission” names the submission that they became.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Never, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import parsers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.api.errors import Problem
from competition.api.submissions import explain_refusal, refuse_unannounced_body
from competition.api.upload_shapes import PartialUploadOutput
from competition.clock import database_now
from competition.submissions import resuming
from competition.submissions.models import PartialUpload
from competition.submissions.upload_size import announced_bytes
from competition.tracks.binding import max_upload_bytes
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
from scoring.errors import Rejected

VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,checksum,expiration,termination"
PIECE: Final = "application/offset+octet-stream"
CHECKSUM_MISMATCH: Final = 460  # of the protocol, in no register
OVERRIDES: Final = frozenset({"HEAD", "PATCH", "DELETE"})
"""What a POST may stand for, where something between refuses other methods."""
ALGORITHMS: Final[Mapping[str, int]] = {
    name: hashlib.new(name, usedforsecurity=False).digest_size for name in ("sha1", "sha256", "md5")
}
"""Of checksums, with the bytes of a digest."""
MAX_METADATA: Final = 4096
WHOLE: Final = re.compile(r"[0-9]{1,15}")
SHA256: Final = re.compile(r"[0-9a-f]{64}")
WAIT_S: Final = 5


def _header(
    name: str, about: str, *, required: bool = False, kind: Any = OpenApiTypes.STR
) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, required=required, description=about)


RESUMABLE: Final = _header("Tus-Resumable", f"“{VERSION}”.", required=True)


class PieceParser(parsers.BaseParser):
    """Leaves a piece unread: the view reads it bit by bit."""

    media_type = PIECE

    def parse(
        self,
        stream: object,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return no fields."""
        return {}


class TusView(APIView):
    """What all addresses of the protocol share."""

    permission_classes = (IsAuthenticated,)
    parser_classes = (PieceParser,)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """Let a POST stand for another method, as the protocol demands."""
        meant = request.headers.get("X-HTTP-Method-Override", "")
        if request.method == "POST" and meant in OVERRIDES:
            request.method = meant
        return super().initialize_request(request, *args, **kwargs)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]  # as DRF's own
        """Tell what of the protocol the site speaks."""
        headers = {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        }
        largest = self.largest_bytes(request)
        if largest is not None:
            headers["Tus-Max-Size"] = str(largest)
        return Response(status=status.HTTP_204_NO_CONTENT, headers=headers)

    def largest_bytes(self, request: Request) -> int | None:
        """Return how large an upload may be, where that is known."""
        return None

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Name the version on every answer, and let nobody keep one."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        answer.headers["Tus-Resumable"] = VERSION
        answer.headers["Cache-Control"] = "no-store"
        return answer


class CreatePartialUpload(TusView):
    """Begin an upload in pieces."""

    def largest_bytes(self, request: Request) -> int:
        """Return the track's limit."""
        return max_upload_bytes(self._track(request))

    @extend_schema(
        operation_id="create_upload",
        parameters=[
            RESUMABLE,
            _header("Upload-Length", "Size of the entry in bytes.", required=True, kind=OpenApiTypes.INT),
            _header(
                "Upload-Metadata",
                "Pairs of a name and a value in Base64: “filename”, and “sha256” in hexadecimal digits if it is known.",
                required=True,
            ),
        ],
        request={PIECE: OpenApiTypes.BINARY},
        responses={201: None},
        tags=["submissions"],
    )
    def post(self, request: Request, slug: str) -> Response:
        """Begin an upload in pieces, by the tus protocol. “Location” is its address; PATCH it, HEAD it, DELETE it."""
        track = self._track(request)
        _check_version(request)
        refuse_unannounced_body(request)
        if announced_bytes(request):
            _check_kind(request)
        length, told = _length(request), request.headers.get("Upload-Metadata", "")
        metadata = _metadata(told)
        user = cast(User, request.user)
        try:
            upload = resuming.begin(
                participant=user,
                track=track,
                name=metadata.get("filename", ""),
                entry_bytes=length,
                sha256=_sha256(metadata),
                metadata=told,
            )
        except Rejected as rejected:
            raise explain_refusal(rejected, request, user, track) from rejected
        if announced_bytes(request):
            upload = _append(request, upload, offset=0)
        headers = {"Location": reverse("api-upload", args=[upload.pk]), **_headers_of(upload)}
        return Response(status=status.HTTP_201_CREATED, headers=headers)

    def _track(self, request: Request) -> Track:
        return get_object_or_404(tracks_for(cast(User, request.user)), slug=self.kwargs["slug"])


class ContinuePartialUpload(TusView):
    """Ask how far an upload is, send a piece of it, or stop it."""

    def head(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Tell how far an upload is."""
        upload = self._upload(request, multipart_id="")
        _check_version(request)
        headers = {**_headers_of(upload), "Upload-Length": str(upload.entry_bytes)}
        if upload.metadata:
            headers["Upload-Metadata"] = upload.metadata
        return Response(status=status.HTTP_200_OK, headers=headers)

    @extend_schema(operation_id="show_upload", responses=PartialUploadOutput, tags=["submissions"])
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Show how far an upload is, and what it became. HEAD answers the same in the headers of tus."""
        return Response(PartialUploadOutput(self._upload(request), context={"request": request}).data)

    @extend_schema(
        operation_id="continue_upload",
        parameters=[
            RESUMABLE,
            _header("Upload-Offset", "Where the piece begins.", required=True, kind=OpenApiTypes.INT),
            _header("Upload-Checksum", f"An algorithm of {', '.join(ALGORITHMS)} and the digest in Base64."),
        ],
        request={PIECE: OpenApiTypes.BINARY},
        responses={204: None},
        tags=["submissions"],
    )
    def patch(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Send a piece. After the last one, “Podium-Submission” is the id of the submission."""
        upload = self._upload(request, multipart_id="")
        _check_version(request)
        refuse_unannounced_body(request)
        _check_kind(request)
        upload = _append(request, upload, offset=_whole(request, "Upload-Offset"))
        return Response(status=status.HTTP_204_NO_CONTENT, headers=_headers_of(upload))

    @extend_schema(
        operation_id="stop_upload", parameters=[RESUMABLE], responses={204: None}, tags=["submissions"]
    )
    def delete(self, request: Request, id: UUID) -> Response:  # noqa: A002  # named as in the address
        """Stop an upload and forget what was sent. One that became a submission stays what it is."""
        upload = self._upload(request)
        if not upload.multipart_id:
            _check_version(request)
        if not resuming.end(upload) and PartialUpload.objects.filter(pk=upload.pk).exists():
            raise Problem(
                status=status.HTTP_409_CONFLICT,
                code="already_finished",
                message="This upload is complete and has become a submission.",
                hint="Cancel the submission instead.",
            )
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _upload(self, request: Request, **more: str) -> PartialUpload:
        return find_upload(cast(User, request.user), self.kwargs["id"], **more)


def find_upload(participant: User, upload_id: UUID, **more: str) -> PartialUpload:
    """Return one's own upload; a 404 hides that there are others."""
    own = PartialUpload.objects.select_related("track", "participant")
    upload = get_object_or_404(own, pk=upload_id, participant=participant, **more)
    if upload.submission_id is None and upload.expires_at < database_now():
        raise _gone()
    return upload


# --- what a request says -------------------------------------------------------------------------------


def _check_version(request: Request) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Problem(
            status=status.HTTP_412_PRECONDITION_FAILED,
            code="unsupported_tus_version",
            message=f"Send the header “Tus-Resumable: {VERSION}”.",
            headers={"Tus-Version": VERSION},
        )


def _check_kind(request: Request) -> None:
    if request.content_type != PIECE:
        raise Problem(
            status=status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
            code="unsupported_media_type",
            message=f"A piece has the Content-Type {PIECE}.",
            hint=f"Send the header “Content-Type: {PIECE}”.",
        )


def _length(request: Request) -> int:
    if "Upload-Defer-Length" in request.headers:
        _refuse("“Upload-Defer-Length” is not supported: say how large the entry is.")
    return _whole(request, "Upload-Length")


def _whole(request: Request, name: str) -> int:
    told = request.headers.get(name, "")
    if not WHOLE.fullmatch(told):
        _refuse(f"The header “{name}” must be a whole number.")
    return int(told)


def _metadata(told: str) -> dict[str, str]:
    if len(told) > MAX_METADATA or not told.isascii():
        _refuse(f"“Upload-Metadata” must be at most {MAX_METADATA} ASCII characters.")
    found: dict[str, str] = {}
    for pair in filter(None, map(str.strip, told.split(","))):
        name, _, value = pair.partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode("utf-8")
        except ValueError:  # of Base64 and UTF-8 alike
            _refuse(f"The value of “{name}” in “Upload-Metadata” must be text in UTF-8 and Base64.")
    return found


def _sha256(metadata: Mapping[str, str]) -> str:
    told = metadata.get("sha256", "").lower()
    if told and not SHA256.fullmatch(told):
        _refuse("“sha256” in “Upload-Metadata” must be 64 hexadecimal digits.")
    return told


def _checksum(request: Request) -> resuming.Checksum | None:
    told = request.headers.get("Upload-Checksum")
    if told is None:
        return None
    algorithm, _, value = told.partition(" ")
    try:
        digest = base64.b64decode(value, validate=True)
    except ValueError:
        digest = b""
    if len(digest) != ALGORITHMS.get(algorithm, -1):
        _refuse(f"“Upload-Checksum” must be one of {', '.join(ALGORITHMS)} and the digest in Base64.")
    return resuming.Checksum(algorithm=algorithm, digest=digest)


def _refuse(message: str) -> Never:
    raise Problem(status=status.HTTP_400_BAD_REQUEST, code="invalid_request", message=message)


# --- what is answered ------------------------------------------------------------------------------------


def _append(request: Request, upload: PartialUpload, *, offset: int) -> PartialUpload:
    checksum = _checksum(request)
    try:
        return resuming.append(
            upload,
            request._request,
            offset=offset,
            piece_bytes=announced_bytes(request._request),
            checksum=checksum,
        )
    except Rejected as rejected:
        raise explain_refusal(rejected, request, upload.participant, upload.track) from rejected
    except tuple(PROBLEMS) as refusal:
        raise PROBLEMS[type(refusal)]() from refusal


def _gone() -> Problem:
    return Problem(
        status=status.HTTP_410_GONE,
        code="upload_expired",
        message="This upload was left alone for too long, and what was sent is gone.",
        hint="Begin a new one.",
    )


def _elsewhere() -> Problem:
    return Problem(
        status=status.HTTP_409_CONFLICT,
        code="wrong_offset",
        message="The piece does not begin where the upload ends.",
        hint="Ask with HEAD how far it is, and go on from there.",
    )


def _occupied() -> Problem:
    return Problem(
        status=status.HTTP_423_LOCKED,
        code="upload_busy",
        message="All of the upload is there and is being checked and stored.",
        hint="Ask again in a moment.",
        headers={"Retry-After": str(WAIT_S)},
    )


def _too_long() -> Problem:
    return Problem(
        status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
        code="piece_too_long",
        message="The piece would end beyond the announced length of the upload.",
        hint="The file has grown since the upload began: begin a new one.",
    )


def _damaged() -> Problem:
    return Problem(
        status=CHECKSUM_MISMATCH,
        code="checksum_mismatch",
        message="The piece is not what its checksum says; nothing of it was kept.",
        hint="Send it again.",
    )


PROBLEMS: Final[Mapping[type[Exception], Callable[[], Problem]]] = {
    resuming.Elsewhere: _elsewhere,
    resuming.Occupied: _occupied,
    resuming.TooLong: _too_long,
    resuming.Damaged: _damaged,
    resuming.Lost: _gone,
}


def _headers_of(upload: PartialUpload) -> dict[str, str]:
    headers = {
        "Upload-Offset": str(upload.received_bytes),
        "Upload-Expires": http_date(upload.expires_at.timestamp()),
    }
    if upload.submission_id is not None:
        headers["Podium-Submission"] = str(upload.submission_id)
    return headers
