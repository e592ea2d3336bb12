"""Which columns of a board are shown, and where sorting by one leads: in the address, and kept in a cookie."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from competition.leaderboard.board_query import MAX_SEARCH
from competition.leaderboard.searching import Asked, sortable
from competition.leaderboard.selectors import Board
from competition.tracks.wording import directed_title

COOKIE: Final = "board_columns"
KEPT_FOR_S: Final = 365 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: `sort_query` leads to the board sorted by it, or in the other order; empty where it cannot be."""

    key: str
    title: str
    is_number: bool
    is_chosen: bool
    sort_query: str = ""
    sorted: str = ""
    """As ARIA says it."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a reader asked to see of a board."""

    asked: Asked
    columns: tuple[Column, ...]
    """The ones that can be left out; rank, participant and value always stand before them."""
    always: tuple[Column, ...]
    query: str
    """Leads to the same rows again, without a page's number."""

    @property
    def shown(self) -> tuple[Column, ...]:
        """Return the chosen ones."""
        return tuple(column for column in self.columns if column.is_chosen)


def layout(request: HttpRequest, board: Board, board_query: str) -> Layout:
    """Return what the address asks for; unknown columns and sorts are as if they were not there."""
    can_sort = sortable(board)
    sort = request.GET.get("sort", "")
    asked = Asked(
        search=request.GET.get("q", "").strip()[:MAX_SEARCH],
        sort=sort if sort in can_sort else "",
        descending=request.GET.get("order") == "down",
    )
    chosen = _chosen(request)
    plain = [
        (key, title, number, (key in chosen) if chosen else shown)
        for key, title, number, shown in _optional(board)
    ]
    always = [("rank", "Rank", False, True), ("name", "Participant", False, True),
              ("value", board.metric_facts.title, True, True)]  # fmt: skip
    kept = _kept(asked, board_query, chosen if request.GET.get("columns") else ())

    def column(key: str, title: str, is_number: bool, is_chosen: bool) -> Column:
        is_sorted = (asked.sort or "rank") == key and not (asked.search and not asked.sort and key != "rank")
        down = is_sorted and not asked.descending
        query = urlencode([*kept, ("sort", key), ("order", "down" if down else "up")])
        words = ("descending" if asked.descending else "ascending") if is_sorted else ""
        return Column(key=key, title=title, is_number=is_number, is_chosen=is_chosen,
                      sort_query=query if key in can_sort else "", sorted=words)  # fmt: skip

    sorting = [("sort", asked.sort)] if asked.sort else []
    sorting += [("order", "down")] if asked.descending else []
    return Layout(
        asked=asked,
        columns=tuple(column(*each) for each in plain),
        always=tuple(column(*each) for each in always),
        query=urlencode([*kept, *sorting]),
    )


def keep_columns(request: HttpRequest, response: HttpResponseBase) -> None:
    """Remember the columns that the reader chose just now."""
    if request.GET.get("keep") and request.GET.get("columns"):
        response.set_cookie(COOKIE, ".".join(_chosen(request)), max_age=KEPT_FOR_S, httponly=True, samesite="Lax",
                            secure=request.is_secure())  # fmt: skip


def _kept(asked: Asked, board_query: str, columns: Collection[str]) -> list[tuple[str, str]]:
    kept = [tuple(pair.split("=", 1)) for pair in board_query.split("&")]
    kept += [("q", asked.search)] if asked.search else []
    kept += [("columns", ".".join(columns))] if columns else []
    return [(name, value) for name, value in kept]


def _chosen(request: HttpRequest) -> tuple[str, ...]:
    """Return the keys that were chosen in the address, or else before; a form sends each for itself."""
    stated = request.GET.getlist("columns") or [request.COOKIES.get(COOKIE, "")]
    keys = [key for each in stated[:30] for key in each.split(".") if key.isidentifier() and len(key) < 60]
    return tuple(dict.fromkeys(keys))[:30]


def _optional(board: Board) -> list[tuple[str, str, bool, bool]]:
    """Return key, title, whether it is a number, and whether it is shown where nobody chose."""
    metric = board.metric_facts.title
    extras = [(str(name), directed_title(name), True, True) for name in board.extra_metrics]
    second = [("second", f"{metric} in {board.precision}", True, True)] if board.precision else []
    latency = [("latency", "Latency", True, True)] if board.max_latency_ms is not None else []
    return [
        ("interval", "95% interval", False, True),
        ("range", "Rank range", False, True),
        *extras,
        *second,
        *latency,
        ("parameters", "Parameters", True, False),
        ("macs", "MACs", True, False),
        ("format", "Format", False, False),
        ("submissions", "Submissions", True, True),
        ("date", "Uploaded", False, True),
    ]
