"""Which board a request asks for: split and benchmark version, both from hostile query text."""

from __future__ import annotations

from datetime import datetime

from django.http import Http404, QueryDict

from competition.leaderboard.searching import Asked, sortable
from competition.leaderboard.selectors import Board
from competition.tracks.access import Viewer, organises
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import Split

MAX_DIGITS = 9
MAX_SEARCH = 150
"""As long as a name can be."""


def may_see_private(track: Track, viewer: Viewer, now: datetime) -> bool:
    """Say whether the viewer may see the private board."""
    return track.shows_private_scores(now) or organises(viewer, track.competition_id)


def asked_split(query: QueryDict, *, private_visible: bool) -> Split:
    """Return the split asked for; an unknown or hidden one is "not found"."""
    name = query.get("split", Split.PUBLIC)
    allowed = (Split.PUBLIC, Split.PRIVATE) if private_visible else (Split.PUBLIC,)
    if name not in allowed:
        raise Http404("no such board")
    return Split(name)


def asked_benchmark(query: QueryDict, track: Track) -> BenchmarkVersion | None:
    """Return the benchmark version asked for, or the one whose board the track shows."""
    if not query.get("version", ""):
        return track.shown or track.benchmark
    number = asked_number(query, "version", 0)
    found = track.benchmarks.select_related("dataset").filter(number=number).first()
    if found is None:
        raise Http404("no such version")
    return found


def asked_rows(query: QueryDict, board: Board) -> Asked:
    """Return which rows are asked for, and in which order; one that the board cannot be sorted by is "not found"."""
    sort = query.get("sort", "")
    if sort and sort not in sortable(board):
        raise Http404("no such order")
    search = query.get("search", "").strip()[:MAX_SEARCH]
    return Asked(search=search, sort=sort, descending=query.get("order") == "down")


def asked_number(query: QueryDict, name: str, default: int) -> int:
    """Return a number of the query; one that is not whole, is negative or is huge is "not found"."""
    number = query.get(name, "")
    if not number:
        return default
    if not number.isascii() or not number.isdecimal() or len(number) > MAX_DIGITS:
        raise Http404(f"no such {name}")
    return int(number)
