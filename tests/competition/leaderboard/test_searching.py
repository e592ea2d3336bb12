"""A board in other orders than that of its ranks: small ones by every column, large ones by what has an index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from competition.leaderboard import searching, standings
from competition.leaderboard.models import Standing
from competition.leaderboard.searching import Asked, find, sortable
from competition.leaderboard.selectors import Board, board
from competition.submissions import lifecycle
from competition.submissions.models import Evaluation
from competition.tracks.models import Track
from tests.examples import START, scored_report

pytestmark = pytest.mark.django_db

PEOPLE = (("ann", 0.9, 300), ("Anna", 0.8, 100), ("bob", 0.7, 200), ("joanna", 0.6, 400))


@pytest.fixture
def filled(
    make_user: Callable[[str], Any], make_evaluation: Callable[..., Evaluation], track: Track
) -> Board:
    """Return a board of four, each with other MACs."""
    for day, (name, value, macs) in enumerate(PEOPLE):
        at = START + timedelta(days=day)
        lease = lifecycle.claim(make_evaluation(make_user(name), track, at=at).pk, owner="w", now=at)
        lifecycle.record_scored(lease, scored_report(value), now=at, place=standings.place)
        Standing.objects.filter(participant__username=name).update(macs=macs)
    return board(track, limit=0)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "SMALL", 1)


def names(board: Board, *, start: int = 0, limit: int = 50, **asked: Any) -> list[str]:
    return [row.participant_name for row in find(board, Asked(**asked), start=start, limit=limit).rows]


def test_a_small_board_is_searched_for_any_part_of_a_name(filled: Board) -> None:
    assert names(filled, search="ANN") == ["ann", "Anna", "joanna"]


def test_a_small_board_is_sorted_by_every_column(filled: Board) -> None:
    assert names(filled, sort="name") == ["ann", "Anna", "bob", "joanna"]
    assert names(filled, sort="value") == ["joanna", "bob", "Anna", "ann"]
    assert names(filled, sort="rank", descending=True) == ["joanna", "bob", "Anna", "ann"]
    assert names(filled, sort="macs") == ["Anna", "bob", "ann", "joanna"]


def test_what_is_not_known_comes_last_either_way(filled: Board) -> None:
    Standing.objects.filter(participant__username="bob").update(macs=None)

    assert names(filled, sort="macs")[-1] == "bob"
    assert names(filled, sort="macs", descending=True)[-1] == "bob"


@pytest.mark.usefixtures("large")
def test_a_large_board_is_searched_for_how_names_begin(filled: Board) -> None:
    assert names(filled, search="an") == ["ann", "Anna"]
    assert names(filled, search="nn") == []
    assert names(filled, search="%") == []


@pytest.mark.usefixtures("large")
def test_a_large_board_is_sorted_by_what_has_an_index(filled: Board) -> None:
    assert sortable(filled) == {"rank", *searching.INDEXED}
    assert names(filled, sort="macs") == ["Anna", "bob", "ann", "joanna"]
    assert names(filled, sort="date", descending=True, limit=2) == ["joanna", "bob"]
    assert names(filled, sort="macs", start=1, limit=2) == ["bob", "ann"]


@pytest.mark.usefixtures("large")
def test_a_large_board_is_not_read_beyond_a_depth(filled: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "DEEPEST", 3)

    found = find(filled, Asked(sort="macs"), start=2, limit=50)

    assert [row.participant_name for row in found.rows] == ["ann"]
    assert (found.total, found.is_cut) == (3, True)


@pytest.mark.usefixtures("large")
def test_of_many_names_some_are_looked_up(filled: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "MOST_NAMES", 1)

    found = find(filled, Asked(search="an"), start=0, limit=50)

    assert (len(found.rows), found.is_cut) == (1, True)


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("query", ["sort=macs", "sort=rank&order=down", "q=an", ""])
def test_a_page_of_a_large_board_takes_as_many_queries_for_more_rows(
    client: Client, filled: Board, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def queries(rows: int) -> int:
        monkeypatch.setattr("competition.pages.leaderboard.ROWS_A_PAGE", rows)
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/tracks/{filled.track.slug}/leaderboard/?{query}").status_code == 200
        return len(captured)

    queries(1)

    assert queries(1) == queries(4)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no such index")
def test_names_are_looked_up_by_their_index(filled: Board) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM auth_user WHERE UPPER(username::text) LIKE UPPER('an%') LIMIT 1000"
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "auth_user_name_begins" in plan


def test_an_unknown_order_is_that_of_the_ranks_on_the_page_and_not_found_in_the_api(
    client: Client, filled: Board
) -> None:
    page = client.get(f"/tracks/{filled.track.slug}/leaderboard/?sort=password")

    assert [each.row.participant_name for each in page.context["drawn"]] == ["ann", "Anna", "bob", "joanna"]
    assert client.get(f"/api/tracks/{filled.track.slug}/leaderboard/?sort=password").status_code == 404


def test_the_api_sorts_searches_and_pages(client: Client, filled: Board) -> None:
    address = f"/api/tracks/{filled.track.slug}/leaderboard/"
    first = client.get(address, {"sort": "macs", "page_size": 3}).json()
    second = client.get(first["next"]).json()
    found = client.get(address, {"search": "bob"}).json()

    assert [row["participant"] for row in first["rows"]] == ["Anna", "bob", "ann"]
    assert [row["participant"] for row in second["rows"]] == ["joanna"]
    assert second["next"] is None
    assert [(row["participant"], row["macs"]) for row in found["rows"]] == [("bob", 200)]


def test_columns_are_chosen_in_the_address_and_kept_when_asked(client: Client, filled: Board) -> None:
    address = f"/tracks/{filled.track.slug}/leaderboard/"

    def shown(query: str) -> list[str]:
        return [column.key for column in client.get(f"{address}?{query}").context["layout"].shown]

    usual = shown("")
    once = shown("columns=macs.date")
    unkept = shown("")
    kept = shown("columns=format&columns=parameters&keep=1")

    assert "interval" in usual
    assert once == ["macs", "date"]
    assert unkept == usual
    assert kept == shown("") == ["parameters", "format"]


@pytest.mark.parametrize("query", ["columns=<b>", "columns=" + "a." * 2000, "page=9999999999&sort=macs"])
def test_absurd_wishes_show_some_page(client: Client, filled: Board, query: str) -> None:
    assert client.get(f"/tracks/{filled.track.slug}/leaderboard/?{query}").status_code == 200
