"""What a board's charts show, in the API."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import renderers, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from competition.api import choices
from competition.clock import database_now
from competition.freshness import digest_of, tagged
from competition.leaderboard import selectors
from competition.leaderboard.board_query import asked_benchmark, asked_split, may_see_private
from competition.leaderboard.charts import charts_of
from competition.tracks.selectors import tracks_for
from scoring.contracts import Split


class StepOutput(serializers.Serializer[Any]):
    """A score that was better than all uploaded before it."""

    at = serializers.DateTimeField()
    value = serializers.FloatField()
    participant = serializers.CharField()


class PointOutput(serializers.Serializer[Any]):
    """A participant's score and what its entry costs."""

    participant = serializers.CharField()
    value = serializers.FloatField()
    cost = serializers.IntegerField()
    on_front = serializers.BooleanField(help_text="Nobody scores more for as little.")


class CostsOutput(serializers.Serializer[Any]):
    """Scores against one kind of usage: of the first participants, of some others, and of all on the front."""

    usage = serializers.CharField()
    title = serializers.CharField()
    points = PointOutput(many=True)
    baselines = PointOutput(many=True, help_text="Named as the board names them.")


class BinOutput(serializers.Serializer[Any]):
    """How many participants have a score in a range."""

    low = serializers.FloatField()
    high = serializers.FloatField()
    participants = serializers.IntegerField()


class DayOutput(serializers.Serializer[Any]):
    """How many submissions there were on a day, in UTC."""

    day = serializers.DateField()
    submissions = serializers.IntegerField()


class ChartsOutput(serializers.Serializer[Any]):
    """Everything that is drawn of a board."""

    metric = serializers.CharField(help_text="Title of the ranking metric.")
    higher_is_better = serializers.BooleanField()
    at = serializers.DateTimeField(
        allow_null=True, help_text="When the board was summed up; null before the first time."
    )
    record = StepOutput(many=True)
    costs = CostsOutput(many=True)
    scores = BinOutput(many=True)
    days = DayOutput(many=True)


class ShowCharts(APIView):
    """Show what the charts of a leaderboard show."""

    @extend_schema(
        operation_id="show_charts",
        parameters=[
            OpenApiParameter("split", str, enum=choices.SPLITS, default=Split.PUBLIC.value),
            OpenApiParameter("version", int, description="Benchmark version; by default the current one."),
            OpenApiParameter(
                "If-None-Match", str, OpenApiParameter.HEADER, description="ETag of the answer you have."
            ),
        ],
        responses={200: ChartsOutput, 304: OpenApiResponse(description="Not modified.")},
        tags=["leaderboards"],
    )
    def get(self, request: Request, slug: str) -> HttpResponseBase:
        """Show a board summed up: the record, scores against cost, their distribution, submissions by day."""
        track = get_object_or_404(tracks_for(request.user), slug=slug)
        private_visible = may_see_private(track, request.user, database_now())
        split = asked_split(request.query_params, private_visible=private_visible)
        version = asked_benchmark(request.query_params, track)
        body = charts_of(selectors.board(track, split=split, benchmark=version, limit=0)).as_plain()
        return tagged(request._request, Response(body), digest_of(renderers.JSONRenderer().render(body)))
