import codecs
import csv
import io
import json
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from competition.csv_cells import inert
from competition.leaderboard import standings
from competition.leaderboard.selectors import ROWS_A_PAGE
from competition.submissions import lifecycle
from tests.examples import START, new_benchmark, scored_report

pytestmark = pytest.mark.django_db


@pytest.fixture
def score(make_evaluation, make_user, track):
    """Return a function that gives a new participant a score."""

    def give(name, value, *, private=None, minutes=0):
        at = START + timedelta(minutes=minutes)
        evaluation = make_evaluation(make_user(name), track, at=at)
        lease = lifecycle.claim(evaluation.pk, owner="test", now=at)
        lifecycle.record_scored(lease, scored_report(value, private=private), now=at, place=standings.place)
        return evaluation

    return give


@pytest.fixture
def with_private_samples(track):
    track.dataset.private_samples = 2
    track.dataset.save()


def board_of(client, track, **query):
    return client.get(reverse("leaderboard", args=[track.slug]), query)


def body(response):
    """Return the text of an answer, in one piece or streamed."""
    return b"".join(response).decode()


def ranks(response):
    return [(drawn.row.rank, drawn.row.participant_name) for drawn in response.context["drawn"]]


def test_an_empty_board_invites_to_submit(client, track):
    text = board_of(client, track).content.decode()

    assert "No scores yet" in text
    assert reverse("submit", args=[track.slug]) in text


def test_equal_scores_share_a_rank_and_the_earlier_comes_first(client, track, score):
    score("late", 0.8, minutes=9)
    score("early", 0.8, minutes=1)
    score("best", 0.9, minutes=5)
    score("last", 0.1, minutes=2)

    assert ranks(board_of(client, track)) == [(1, "best"), (2, "early"), (2, "late"), (4, "last")]


def test_ones_own_row_is_marked_in_words_too(client, track, score):
    own = score("me", 0.5)
    score("other", 0.6)
    client.force_login(own.submission.participant)

    text = board_of(client, track).content.decode()

    assert text.count('id="own-row"') == 1
    assert '<span class="you">you</span>' in text
    assert "Your rank: <strong>2</strong>" in text


def test_a_large_board_is_paged_and_leads_to_ones_own_row(client, track, score):
    for place in range(ROWS_A_PAGE):
        score(f"p{place:03}", 0.9 - place / 1000)
    own = score("me", 0.1)
    client.force_login(own.submission.participant)

    first = board_of(client, track)
    second = board_of(client, track, page="2")

    assert len(ranks(first)) == ROWS_A_PAGE
    assert "Go to your row" in first.content.decode()
    assert ranks(second) == [(ROWS_A_PAGE + 1, "me")]


@pytest.mark.parametrize("page", ["0", "-1", "999", "x", "1;DROP"])
def test_an_absurd_page_number_shows_some_page(client, track, score, page):
    score("only", 0.5)

    assert board_of(client, track, page=page).status_code == 200


@pytest.mark.parametrize("query", [{"split": "private"}, {"split": "secret"}, {"version": "7"}, {"version": "٣"},
                                   {"version": "1" * 40}, {"version": "-1"}])  # fmt: skip
@pytest.mark.parametrize("name", ["leaderboard", "leaderboard-csv", "leaderboard-json"])
def test_boards_that_are_hidden_or_do_not_exist_are_not_found(client, track, score, name, query):
    score("only", 0.5, private=0.4)

    assert client.get(reverse(name, args=[track.slug]), query).status_code == 404


def test_the_private_board_opens_when_the_track_closes(client, track, score, with_private_samples):
    score("only", 0.5, private=0.4)
    track.closes_at = timezone.now() - timedelta(seconds=1)
    track.save()

    response = board_of(client, track, split="private")

    assert response.context["drawn"][0].row.value == 0.4


def test_no_public_page_or_file_holds_a_hidden_private_score(client, track, score):
    score("only", 0.5, private=0.123456)

    for name in ("leaderboard", "leaderboard-csv", "leaderboard-json"):
        assert "0.1234" not in body(client.get(reverse(name, args=[track.slug])))


def test_each_benchmark_version_has_its_own_board(client, track, score):
    score("first", 0.5)
    new_benchmark(track)

    assert ranks(board_of(client, track)) == []
    assert ranks(board_of(client, track, version="1")) == [(1, "first")]


def test_csv_holds_the_whole_board_and_says_that_it_is_utf_8(client, track, score):
    """Excel reads it as something else without the mark."""
    score("Åsa", 0.5)
    score("b", 0.75)

    content = body(client.get(reverse("leaderboard-csv", args=[track.slug]))).encode()
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))

    assert content.startswith(codecs.BOM_UTF8)
    assert [(row["rank"], row["participant"], float(row["value"])) for row in rows] == [
        ("1", "b", 0.75),
        ("2", "Åsa", 0.5),
    ]


@pytest.mark.parametrize("name", ["@SUM(A1)", "+1", "-1", "=1"])
def test_a_name_that_a_spreadsheet_would_run_is_made_inert(name):
    assert inert(name) == f"'{name}"


def test_json_names_the_version_and_the_interval(client, track, score):
    score("a", 0.5)

    board = json.loads(body(client.get(reverse("leaderboard-json", args=[track.slug]))))

    assert (board["track"], board["version"], board["split"]) == (track.slug, 1, "public")
    assert board["rows"][0]["ci"] == [0.49, 0.51]


# --- after the end ---------------------------------------------------------------------------------------


def end(track):
    """Let the window of a track have passed."""
    type(track).objects.filter(pk=track.pk).update(closes_at=START + timedelta(hours=1))


def winners(response):
    """Return who is marked as a winner, with which word."""
    name_and_medal = r'class="text-break">([^<]+)<span class="medal[^>]*>(Winner|Second|Third)<'
    return re.findall(name_and_medal, response.content.decode())


def test_a_running_track_has_no_winners(client, track, score):
    score("ada", 0.9)

    answer = board_of(client, track)

    assert winners(answer) == []
    assert "Final" not in answer.content.decode()


def test_an_ended_track_is_final_and_marks_the_first_three_ranks(client, track, score):
    for name, value in (("ada", 0.9), ("ben", 0.7), ("cai", 0.8), ("dov", 0.8), ("eli", 0.6)):
        score(name, value)
    end(track)

    answer = board_of(client, track)

    assert winners(answer) == [("ada", "Winner"), ("cai", "Second"), ("dov", "Second")]
    assert "Final" in answer.content.decode()
    assert "2026-03-01 13:00 UTC" in answer.content.decode()
    assert "is final" in client.get(track.get_absolute_url()).content.decode()


def test_while_something_still_waits_nothing_is_final(client, track, score, make_evaluation, alice):
    score("ada", 0.9)
    make_evaluation(alice, track)
    end(track)

    answer = board_of(client, track)

    assert winners(answer) == []
    assert "1 submission that came in time is still being scored" in answer.content.decode()
    assert "still being scored" in client.get(track.get_absolute_url()).content.decode()


def test_where_private_scores_are_shown_they_decide(client, track, score, with_private_samples):
    score("ada", 0.9, private=0.5)
    score("ben", 0.7, private=0.6)
    end(track)

    assert winners(board_of(client, track)) == []
    assert "?split=private" in client.get(track.get_absolute_url()).content.decode()
    assert winners(board_of(client, track, split="private")) == [("ben", "Winner"), ("ada", "Second")]


def test_an_earlier_benchmark_version_has_no_winners(client, track, score):
    score("ada", 0.9)
    new_benchmark(track)
    end(track)

    assert winners(board_of(client, track, version=1)) == []


def test_an_ended_track_without_a_score_invites_nobody(client, track):
    end(track)

    text = board_of(client, track).content.decode()

    assert "Nothing was scored before the track ended." in text
    assert reverse("submit", args=[track.slug]) not in text
