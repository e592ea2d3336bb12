"""The public leaderboard, as a page and as files."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from competition.clock import database_now
from competition.csv_cells import UTF8_MARK
from competition.freshness import digest_of, tagged
from competition.leaderboard import board_files, searching, selectors
from competition.leaderboard.baselines import baselines_of, interleaved
from competition.leaderboard.board_query import asked_benchmark, asked_split, may_see_private
from competition.leaderboard.charts import charts_of
from competition.leaderboard.comparing import MOST_COMPARED, compare
from competition.leaderboard.endings import ending_of
from competition.leaderboard.searching import Asked
from competition.leaderboard.selectors import ROWS_A_PAGE, Board, Row
from competition.pages.board_columns import keep_columns, layout
from competition.pages.intervals import draw
from competition.submissions import rescoring
from competition.tracks.models import Track
from competition.tracks.selectors import tracks_for
from competition.tracks.wording import directed_title

MOST_PAGES: Final = searching.DEEPEST // ROWS_A_PAGE


@require_safe
def leaderboard(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show the board of one benchmark version and split."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    now = database_now()
    private_visible = may_see_private(track, request.user, now)
    board = _asked_board(request, track, private_visible=private_visible)
    asks = layout(request, board, _query(board))
    rows, page, is_cut = _rows(request, board, asks.asked)
    own = selectors.row_of(board, request.user.pk)
    context = {
        "track": track,
        "board": board,
        "split": board.split,
        "page": page,
        "drawn": draw(rows),
        "layout": asks,
        "is_cut": is_cut,
        "is_small": searching.is_small(board),
        "deepest": searching.DEEPEST,
        "most_compared": MOST_COMPARED,
        "ending": ending_of(board, now),
        "own": own,
        "own_page": (own.position - 1) // ROWS_A_PAGE + 1 if own else None,
        "metric": board.metric_facts,
        "board_query": _query(board),
        "versions": track.benchmarks.all(),
        "rescoring": rescoring.progress(track),
        "private_visible": private_visible and _has_private_samples(board),
        "private_shown_to_all": track.shows_private_scores(now),
    }
    response = render(request, "leaderboard/board.html", context)
    keep_columns(request, response)
    patch_vary_headers(response, ("Cookie",))
    return tagged(request, response, digest_of(response.content))


@require_safe
def leaderboard_compare(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Show two to five entries of a board beside each other, those that the address names."""
    track = get_object_or_404(tracks_for(request.user), slug=slug)
    private_visible = may_see_private(track, request.user, database_now())
    board = _asked_board(request, track, private_visible=private_visible)
    asked = list(dict.fromkeys(name for name in request.GET.getlist("with")))
    compared = compare(board, asked[:MOST_COMPARED], viewer=request.user)
    context = {
        "track": track,
        "board": board,
        "board_query": _query(board),
        "compared": compared,
        "too_many": len(asked) > MOST_COMPARED,
        "most_compared": MOST_COMPARED,
        "metric": board.metric_facts,
        "extra_metrics": [(name, directed_title(name)) for name in board.extra_metrics],
    }
    response = render(request, "leaderboard/compare.html", context)
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


def _rows(request: HttpRequest, board: Board, asked: Asked) -> tuple[tuple[Row, ...], Page[Any], bool]:
    """Return the rows of the page that is asked for, baselines among them, and whether any are out of reach."""
    number = request.GET.get("page")
    if asked == Asked():
        page = Paginator(range(board.participants), ROWS_A_PAGE).get_page(number)
        start = max(0, page.start_index() - 1)
        found = selectors.rows_after(board, start, limit=ROWS_A_PAGE + 1)
        behind = found[ROWS_A_PAGE] if len(found) > ROWS_A_PAGE else None
        own = found[:ROWS_A_PAGE]
        known = baselines_of(board)
        return interleaved(own, known, board=board, is_first=start == 0, behind=behind), page, False
    start = (min(max(1, int(number)), MOST_PAGES) - 1) * ROWS_A_PAGE if number and number.isdecimal() else 0
    some = searching.find(board, asked, start=start, limit=ROWS_A_PAGE)
    return some.rows, Paginator(range(some.total), ROWS_A_PAGE).get_page(number), some.is_cut


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
