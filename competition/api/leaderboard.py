"""Leaderboards in the API: public, and cheap to ask for again and again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import renderers, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.api import choices
from competition.api.paging import Pages
from competition.clock import database_now
from competition.freshness import digest_of, tagged
from competition.leaderboard import board_files, searching, selectors
from competition.leaderboard.baselines import baselines_of
from competition.leaderboard.board_query import (
    asked_benchmark,
    asked_number,
    asked_rows,
    asked_split,
    may_see_private,
)
from competition.leaderboard.searching import Asked
from competition.leaderboard.selectors import Board, Row
from competition.tracks.selectors import tracks_for
from scoring.contracts import Split

MAX_ROWS: Final = Pages.max_page_size
SEARCH_WORDS: Final = (
    "Only participants with this in their name; on a board of more than "
    f"{searching.SMALL} rows, whose name begins with it."
)
SORT_WORDS: Final = (
    f"A large board: {', '.join(searching.INDEXED)}, and {searching.DEEPEST} rows from either end. "
    f"One of at most {searching.SMALL} rows also: name, value, interval, range, second, submissions, extra metrics."
)


class RowOutput(serializers.Serializer[Any]):
    """A participant's standing."""

    rank = serializers.IntegerField(
        allow_null=True,
        help_text="Equal scores share a rank and the next rank is skipped: 1, 2, 2, 4. Null outside the latency gate.",
    )
    participant = serializers.CharField()
    value = serializers.FloatField()
    ci = serializers.ListField(
        child=serializers.FloatField(),
        min_length=2,
        max_length=2,
        help_text="95% confidence interval: low, high.",
    )
    rank_range = serializers.ListField(
        child=serializers.IntegerField(allow_null=True),
        min_length=2,
        max_length=2,
        help_text="Best and worst rank that the intervals leave open.",
    )
    extra = serializers.DictField(child=serializers.FloatField(), help_text="The other metrics.")
    latency_ms = serializers.FloatField(allow_null=True, help_text="Median time per sample, if timed.")
    inside_gate = serializers.BooleanField()
    quantised = serializers.FloatField(
        allow_null=True, help_text="The same metric in the track's second precision, if it has one."
    )
    drop_points = serializers.FloatField(
        allow_null=True, help_text="How much lower that score is, in points (hundredths)."
    )
    captured = serializers.BooleanField(
        allow_null=True,
        help_text="False: the entry was counted by running it, not captured as a graph. Null: nobody tried.",
    )
    hardware = serializers.CharField(
        allow_blank=True, help_text="Class of the machine that scored it; empty if that was not noted."
    )
    rank_before = serializers.IntegerField(
        allow_null=True, help_text="The rank with which the day began, in UTC; null if there was none."
    )
    parameters = serializers.IntegerField(allow_null=True)
    macs = serializers.IntegerField(allow_null=True, help_text="Multiply-adds for each sample.")
    format = serializers.CharField(help_text="Package format; may be empty.")
    submissions = serializers.IntegerField()
    submitted_at = serializers.DateTimeField()


class BaselineOutput(RowOutput):
    """An organiser's submission to compare with; it has no rank."""

    name = serializers.CharField(help_text="What the board calls it.")


class BoardOutput(serializers.Serializer[Any]):
    """The standings of one track, one split, one benchmark version."""

    track = serializers.CharField()
    benchmark = serializers.CharField(allow_null=True, help_text="Digest of the benchmark version.")
    version = serializers.IntegerField(allow_null=True, help_text="Number of the benchmark version.")
    metric = serializers.ChoiceField(choices=choices.METRICS)
    split = serializers.ChoiceField(choices=choices.SPLITS)
    max_latency_ms = serializers.FloatField(
        allow_null=True, help_text="The gate; null if the track has none."
    )
    precision = serializers.ChoiceField(
        choices=choices.PRECISIONS, allow_null=True, help_text="Null if entries are scored only once."
    )
    participants = serializers.IntegerField(help_text="How many rows the whole board has.")
    revision = serializers.IntegerField(
        help_text="Grows whenever a row changes: pages of one board have the same revision."
    )
    rows = RowOutput(many=True)
    baselines = BaselineOutput(many=True, help_text="The best first.")
    next = serializers.URLField(allow_null=True, help_text="Address of the next rows; null behind the last.")


class ShowLeaderboard(APIView):
    """Show a leaderboard."""

    @extend_schema(
        operation_id="show_leaderboard",
        parameters=[
            OpenApiParameter("split", str, enum=choices.SPLITS, default=Split.PUBLIC.value),
            OpenApiParameter("version", int, description="Benchmark version; by default the current one."),
            OpenApiParameter("after", int, description="Leave out so many rows.", default=0),
            OpenApiParameter(
                "page_size", int, description=f"How many rows; at most {MAX_ROWS}.", default=MAX_ROWS
            ),
            OpenApiParameter("search", str, description=SEARCH_WORDS),
            OpenApiParameter("sort", str, description=SORT_WORDS),
            OpenApiParameter("order", str, enum=("up", "down"), default="up"),
            OpenApiParameter(
                "If-None-Match", str, OpenApiParameter.HEADER, description="ETag of the answer you have."
            ),
        ],
        responses={200: BoardOutput, 304: OpenApiResponse(description="Not modified.")},
        tags=["leaderboards"],
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Show the board. Send the answer's ETag as If-None-Match: while nothing changes, 304 and no body."""
        track = get_object_or_404(tracks_for(request.user), slug=slug)
        private_visible = may_see_private(track, request.user, database_now())
        split = asked_split(request.query_params, private_visible=private_visible)
        after = asked_number(request.query_params, "after", 0)
        limit = max(1, min(MAX_ROWS, asked_number(request.query_params, "page_size", MAX_ROWS)))
        board = selectors.board(
            track, split=split, benchmark=asked_benchmark(request.query_params, track), limit=0
        )
        asked = asked_rows(request.query_params, board)
        rows, total = _rows(board, asked, after, limit)
        body = {
            **board_files.as_plain(replace(board, rows=rows)),
            "baselines": [board_files.baseline_as_plain(row) for row in baselines_of(board)],
            "next": _next(request, after + limit) if rows and after + limit < total else None,
        }
        return tagged(request._request, Response(body), digest_of(renderers.JSONRenderer().render(body)))


def _rows(board: Board, asked: Asked, after: int, limit: int) -> tuple[tuple[Row, ...], int]:
    """Return the rows behind a place in the order that is asked for, and how many can be reached."""
    if asked == Asked():
        return selectors.rows_after(board, after, limit=limit), board.participants
    found = searching.find(board, asked, start=after, limit=limit)
    return found.rows, found.total


def _next(request: Request, after: int) -> str:
    """Return the address of the rows behind those that were read."""
    query = request.query_params.copy()
    query["after"] = str(after)
    return request.build_absolute_uri(f"?{query.urlencode()}")
