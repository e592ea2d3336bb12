"""Leaderboards in the API: public, and cheap to ask for again and again."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions, renderers, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.leaderboard import selectors
from competition.tracks.api import MetricOutput, metric_facts, seen_tracks
from competition.tracks.models import Track
from scoring.contracts import Split

SPLITS = [split.value for split in Split]


class RowOutput(serializers.Serializer[Any]):
    """A participant's standing."""

    rank = serializers.IntegerField(help_text="Equal scores share a rank, the next are skipped: 1, 2, 2, 4.")
    participant = serializers.CharField(source="participant_name")
    value = serializers.FloatField()
    ci = serializers.SerializerMethodField(help_text="95 % confidence interval: low, high.")
    rank_low = serializers.IntegerField(help_text="Best rank that the intervals allow.")
    rank_high = serializers.IntegerField(help_text="Worst rank that the intervals allow.")
    extra = serializers.DictField(child=serializers.FloatField(), help_text="The other metrics.")
    submitted_at = serializers.DateTimeField()
    submissions = serializers.IntegerField()

    def get_ci(self, row: Any) -> list[float]:
        """Return both ends of the interval."""
        return [row.ci_low, row.ci_high]


class BoardOutput(serializers.Serializer[Any]):
    """The standings of one track, one split, one benchmark version."""

    track = serializers.CharField()
    split = serializers.ChoiceField(choices=SPLITS)
    benchmark = serializers.CharField(allow_null=True)
    metric = MetricOutput()
    rows = RowOutput(many=True)


class ShowLeaderboard(APIView):
    """Show a leaderboard."""

    @extend_schema(
        operation_id="show_leaderboard",
        parameters=[
            OpenApiParameter("split", str, enum=SPLITS, default=Split.PUBLIC.value),
            OpenApiParameter(
                "If-None-Match", str, OpenApiParameter.HEADER, description="ETag of the answer you have."
            ),
        ],
        responses={200: BoardOutput, 304: OpenApiResponse(description="Nothing has changed.")},
        tags=["leaderboards"],
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Show the board. Send the answer's ETag as If-None-Match: while nothing changes, 304 and no body."""
        track = get_object_or_404(seen_tracks(request.user), slug=slug)
        split = _split(request, track, request.user)
        board = selectors.board(track, split=split)
        body = {
            "track": track.slug,
            "split": split.value,
            "benchmark": board.benchmark.digest if board.benchmark else None,
            "metric": metric_facts(track.metric),
            "rows": RowOutput(board.rows, many=True).data,
        }
        # The tag covers the whole answer, so no way of changing a board can be forgotten here.
        tag = '"' + hashlib.sha256(renderers.JSONRenderer().render(body)).hexdigest()[:32] + '"'
        response = Response(body, headers={"ETag": tag, "Cache-Control": "no-cache"})
        return get_conditional_response(request._request, etag=tag, response=response)  # type: ignore[return-value]  # given a response, it returns one


def _split(request: Request, track: Track, user: User | AnonymousUser) -> Split:
    """Return the split asked for; the private one only when the track shows it, or to staff."""
    name = request.query_params.get("split", Split.PUBLIC.value)
    if name not in SPLITS:
        raise exceptions.ValidationError({"split": [f"“{name}” is not one of {', '.join(SPLITS)}."]})
    split = Split(name)
    if split is Split.PRIVATE and not (track.shows_private_scores(timezone.now()) or user.is_staff):
        raise exceptions.PermissionDenied("Scores of the private split are not shown yet.")
    return split
