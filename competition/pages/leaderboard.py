"""The public leaderboard, as a page and as files."""

from __future__ import annotations

from itertools import chain
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from competition.clock import database_now
from competition.csv_cells import UTF8_MARK
from competition.freshness import digest_of, tagged
from competition.leaderboard import board_files, selectors
from competition.leaderboard.board_query import asked_benchmark, asked_split, may_see_private
from competition.leaderboard.charts import charts_of
from competition.leaderboard.endings import ending_of
from competition.leaderboard.selectors import ROWS_A_PAGE, Board
from competition.pages.intervals import draw
from competition.submissions import rescoring
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
from competition.tracks.wording import directed_title


@require_safe
def leaderboard(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show the board of one benchmark version and split."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    now = database_now()
    private_visible = may_see_private(track, request.user, now)
    board = _asked_board(request, track, private_visible=private_visible)
    page = Paginator(range(board.participants), ROWS_A_PAGE).get_page(request.GET.get("page"))
    own = selectors.row_of(board, request.user.pk)
    context = {
        "track": track,
        "board": board,
        "split": board.split,
        "page": page,
        "drawn": draw(selectors.rows_after(board, max(0, page.start_index() - 1), limit=ROWS_A_PAGE)),
        "ending": ending_of(board, now),
        "own": own,
        "own_page": (own.position - 1) // ROWS_A_PAGE + 1 if own else None,
        "extra_metrics": [(name, directed_title(name)) for name in board.extra_metrics],
        "metric": board.metric_facts,
        "board_query": _query(board),
        "versions": track.benchmarks.all(),
        "rescoring": rescoring.progress(track),
        "private_visible": private_visible and _has_private_samples(board),
        "private_shown_to_all": track.shows_private_scores(now),
    }
    response = render(request, "leaderboard/board.html", context)
    return tagged(request, response, digest_of(response.content))


@require_safe
def leaderboard_charts(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show what can be drawn of one board."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    private_visible = may_see_private(track, request.user, database_now())
    board = _asked_board(request, track, private_visible=private_visible)
    context = {
        "track": track,
        "board": board,
        "board_query": _query(board),
        "charts": charts_of(board),
    }
    response = render(request, "leaderboard/charts_page.html", context)
    return tagged(request, response, digest_of(response.content))


@require_safe
def leaderboard_csv(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Serve the whole board as CSV."""
    board = _asked_file(request, slug)
    lines = chain((UTF8_MARK,), board_files.csv_lines(board))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{slug}-{board.split}.csv"'
    return tagged(request, response, board_files.tag(board))


@require_safe
def leaderboard_json(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Serve the whole board as JSON."""
    board = _asked_file(request, slug)
    response = StreamingHttpResponse(board_files.json_pieces(board), content_type="application/json")
    return tagged(request, response, board_files.tag(board))


def _asked_file(request: HttpRequest, slug: str) -> Board:
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    private_visible = may_see_private(track, request.user, database_now())
    return _asked_board(request, track, private_visible=private_visible)


def _asked_board(request: HttpRequest, track: Track, *, private_visible: bool) -> Board:
    """Return the board that is asked for, without rows."""
    split = asked_split(request.GET, private_visible=private_visible)
    return selectors.board(track, split=split, benchmark=asked_benchmark(request.GET, track), limit=0)


def _query(board: Board) -> str:
    """Return the query that leads to this very board again."""
    version = {"version": board.benchmark.number} if board.benchmark else {}
    return urlencode({"split": board.split.value, **version})


def _has_private_samples(board: Board) -> bool:
    return board.benchmark is not None and board.benchmark.dataset.private_samples > 0
