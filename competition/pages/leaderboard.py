"""The public leaderboard, as a page and as files."""

from __future__ import annotations

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from competition.clock import database_now
from competition.csv_cells import UTF8_MARK
from competition.leaderboard import board_files, selectors
from competition.leaderboard.board_query import asked_benchmark, asked_split, may_see_private
from competition.leaderboard.selectors import Board
from competition.pages.intervals import draw
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
from competition.tracks.wording import directed_title
from scoring.contracts import Split

ROWS_A_PAGE = 50


@require_safe
def leaderboard(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the board of one benchmark version and split."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    now = database_now()
    private_visible = may_see_private(track, request.user, now)
    split, board = _asked_board(request, track, private_visible=private_visible)
    page = Paginator(board.rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    own = next((row for row in board.rows if row.participant_id == request.user.pk), None)
    context = {
        "track": track,
        "board": board,
        "split": split,
        "page": page,
        "drawn": draw(tuple(page)),
        "own": own,
        "own_page": board.rows.index(own) // ROWS_A_PAGE + 1 if own else None,
        "extra_metrics": [(name, directed_title(name)) for name in board.extra_metrics],
        "metric": board.metric_facts,
        "board_query": _query(split, board),
        "versions": track.benchmarks.all(),
        "private_visible": private_visible and _has_private_samples(board),
        "private_shown_to_all": track.shows_private_scores(now),
    }
    return render(request, "leaderboard/board.html", context)


@require_safe
def leaderboard_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve the whole board as CSV."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    private_visible = may_see_private(track, request.user, database_now())
    split, board = _asked_board(request, track, private_visible=private_visible)
    response = HttpResponse(UTF8_MARK + board_files.as_csv(board), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{track.slug}-{split}.csv"'
    return response


@require_safe
def leaderboard_json(request: HttpRequest, slug: str) -> JsonResponse:
    """Serve the whole board as JSON."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    private_visible = may_see_private(track, request.user, database_now())
    split, board = _asked_board(request, track, private_visible=private_visible)
    return JsonResponse(board_files.as_plain(board, split=split))


def _asked_board(request: HttpRequest, track: Track, *, private_visible: bool) -> tuple[Split, Board]:
    split = asked_split(request.GET, private_visible=private_visible)
    return split, selectors.board(track, split=split, benchmark=asked_benchmark(request.GET, track))


def _query(split: Split, board: Board) -> str:
    """Return the query that leads to this very board again."""
    version = {"version": board.benchmark.number} if board.benchmark else {}
    return urlencode({"split": split.value, **version})


def _has_private_samples(board: Board) -> bool:
    return board.benchmark is not None and board.benchmark.dataset.private_samples > 0
