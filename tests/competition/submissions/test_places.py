"""The place that people see, in a small queue and in one too large to be read."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from pytest_django import DjangoAssertNumQueries

from competition.submissions import lifecycle, places, queue
from competition.submissions.models import Evaluation
from competition.submissions.places import Place, place_of
from competition.tracks.models import Track
from scoring.contracts import Status
from scoring.environment import installed_environment
from tests.competition.submissions.reference_order import Served, Waiting, in_order
from tests.examples import START, Clock

RESCORE = Evaluation.Priority.RESCORE


@pytest.fixture(autouse=True)
def _nothing_summed_up() -> None:
    cache.clear()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every queue for a large one, and nothing for near the front."""
    monkeypatch.setattr(places, "SMALL", 0)
    monkeypatch.setattr(places, "NEAR", 0)


@pytest.fixture
def crowd(
    make_user: Callable[[str], User],
    make_track: Callable[..., Track],
    make_evaluation: Callable[..., Evaluation],
) -> list[Evaluation]:
    """Forty participants with one to three entries each on two tracks, some of them rescored."""
    tracks = [make_track("one"), make_track("two")]
    made = []
    for number in range(40):
        who = make_user(f"user{number}")
        for nth in range(1 + number % 3):
            at = START + timedelta(seconds=7 * number % 40, minutes=nth)
            priority = RESCORE if number % 5 == 4 else Evaluation.Priority.FRESH
            made.append(make_evaluation(who, tracks[number % 4 == 3], at=at, priority=priority))
    return made


def exact(number: int) -> Place:
    return Place(number=number, is_exact=True)


def true_places(evaluations: list[Evaluation]) -> dict[int, int]:
    waiting = [
        Waiting(
            evaluation=each.pk,
            track=each.submission.track_id,
            participant=each.submission.participant_id,
            priority=each.priority,
            queued_at=each.queued_at,
        )
        for each in evaluations
    ]
    order = in_order(waiting, Served(tracks={}, lines={}))
    return {each.evaluation: number for number, each in enumerate(order, 1)}


def claim(now: datetime) -> None:
    queue.claim_next(owner="worker", queues=("cpu",), environment=installed_environment(), now=now)


def test_places_are_the_order_of_claims(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track, now: datetime
) -> None:
    first, third = make_evaluation(alice, track), make_evaluation(alice, track)
    second = make_evaluation(bob, track, at=now + timedelta(minutes=1))

    assert [place_of(each) for each in (first, second, third)] == [exact(1), exact(2), exact(3)]


def test_who_was_served_lately_comes_later(
    make_evaluation: Callable[..., Evaluation], alice: User, bob: User, track: Track, clock: Clock
) -> None:
    make_evaluation(alice, track)
    of_alice = make_evaluation(alice, track)
    claim(clock.now)
    make_evaluation(bob, track, at=clock.advance(minutes=1))

    assert place_of(of_alice) == exact(2)


def test_a_running_evaluation_has_no_place(evaluation: Evaluation, now: datetime) -> None:
    claim(now)
    evaluation.refresh_from_db()

    assert place_of(evaluation) is None


def test_an_evaluation_that_has_left_since_it_was_read_has_no_place(
    evaluation: Evaluation, now: datetime
) -> None:
    claim(now)

    assert place_of(evaluation) is None


def test_what_an_earlier_release_queued_has_no_place_before_it_is_taken_in(evaluation: Evaluation) -> None:
    Evaluation.objects.update(lane=None)
    evaluation.refresh_from_db()
    before = place_of(evaluation)

    lifecycle.take_in()
    evaluation.refresh_from_db()

    assert (before, place_of(evaluation)) == (None, exact(1))


def test_another_hardware_class_is_another_queue(
    make_evaluation: Callable[..., Evaluation], make_track: Callable[..., Track], alice: User, now: datetime
) -> None:
    make_evaluation(alice, make_track("cpu"), at=now - timedelta(hours=1))

    assert place_of(make_evaluation(alice, make_track("gpu", queue="gpu"))) == exact(1)


def test_in_a_large_queue_places_are_about_right(large: None, crowd: list[Evaluation]) -> None:
    told = {each.pk: place_of(each) for each in crowd}

    assert {pk: place.number for pk, place in told.items()} == true_places(crowd)
    assert not any(place.is_exact for place in told.values())


def test_a_sample_of_lines_is_enough_to_be_about_right(
    large: None, crowd: list[Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "SAMPLE", 8)

    off = [abs(place_of(each).number - true_places(crowd)[each.pk]) for each in crowd]

    assert max(off) <= len(crowd) / 8 + 1


def test_near_the_front_of_a_large_queue_places_are_exact(
    large: None, crowd: list[Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "SAMPLE", 2)
    monkeypatch.setattr(places, "NEAR", 3)
    true = true_places(crowd)

    told = {true[each.pk]: place_of(each) for each in crowd if each.priority != RESCORE}

    assert [told[number] for number in (1, 2, 3, 4)] == [exact(number) for number in (1, 2, 3, 4)]
    assert not told[len(told)].is_exact


def test_a_large_queue_is_summed_up_once_for_all_who_ask(
    large: None, crowd: list[Evaluation], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    asked = [Evaluation.objects.select_related("lane", "submission__track").get(pk=each.pk) for each in crowd]
    place_of(asked[0])

    # Each one's lanes, and how many of one's own come before.
    with django_assert_num_queries(2 + 2):
        place_of(asked[1])
        place_of(asked[0])


def test_whoever_comes_after_the_sum_has_a_place_as_well(
    large: None,
    crowd: list[Evaluation],
    make_evaluation: Callable[..., Evaluation],
    make_track: Callable[..., Track],
    alice: User,
) -> None:
    place_of(crowd[0])

    assert place_of(make_evaluation(alice, make_track("new"))).number <= 3


@pytest.mark.parametrize(
    ("place", "words"),
    [(exact(12_345), "12,345"), (Place(number=41_000, is_exact=False), "about 41,000")],
)
def test_a_place_in_words(place: Place, words: str) -> None:
    assert place.words == words


@pytest.mark.parametrize(("number", "told"), [(7, 7), (99, 99), (123, 120), (41_213, 41_000)])
def test_two_digits_are_told_of_a_place_that_is_not_exact(number: int, told: int) -> None:
    assert places._rounded(number) == told


def test_a_cancelled_evaluation_has_no_place(evaluation: Evaluation, now: datetime) -> None:
    lifecycle.cancel(evaluation.pk, now=now)
    evaluation.refresh_from_db()

    assert (evaluation.status, place_of(evaluation)) == (Status.CANCELLED, None)
