"""The pure order: turns of tracks and participants."""

from datetime import timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from competition.submissions.models import Evaluation
from tests.competition.submissions.reference_order import Served, Waiting, in_order
from tests.examples import START

NOBODY = Served(tracks={}, lines={})
FRESH, RESCORE = Evaluation.Priority.FRESH, Evaluation.Priority.RESCORE


def waiting(names: str, *, priority: int = FRESH) -> list[Waiting]:
    """Read "1a 1b": evaluations in order of arrival, each a track's digit and a participant's letter."""
    numbers = count(1)
    return [
        Waiting(
            evaluation=(n := next(numbers)),
            track=int(name[0]),
            participant=ord(name[1]),
            priority=priority,
            queued_at=START + timedelta(seconds=n),
        )
        for name in names.split()
    ]


def names(order: list[Waiting]) -> str:
    return " ".join(f"{w.track}{chr(w.participant)}" for w in order)


def test_first_come_first_served_within_a_line() -> None:
    assert [w.evaluation for w in in_order(reversed(waiting("1a 1a 1a")), NOBODY)] == [1, 2, 3]


def test_participants_take_turns() -> None:
    assert names(in_order(waiting("1a 1a 1a 1b 1c"), NOBODY)) == "1a 1b 1c 1a 1a"


def test_tracks_take_turns() -> None:
    assert names(in_order(waiting("1a 1b 1c 2a 2b"), NOBODY)) == "1a 2a 1b 2b 1c"


def test_the_participant_served_longest_ago_comes_first() -> None:
    served = Served(tracks={}, lines={(1, ord("a")): START, (1, ord("b")): START - timedelta(minutes=1)})

    assert names(in_order(waiting("1a 1a 1b 1c"), served)) == "1c 1b 1a 1a"


def test_the_track_served_longest_ago_comes_first() -> None:
    assert names(in_order(waiting("1a 1b 2a"), Served(tracks={1: START}, lines={}))) == "2a 1a 1b"


def test_rescoring_runs_below_fresh_entries_of_every_track() -> None:
    old = waiting("1a", priority=RESCORE)

    assert names(in_order([*old, *waiting("2b 2b")], NOBODY)) == "2b 2b 1a"


@given(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from("abc")), max_size=12))
def test_the_order_is_what_serving_one_after_another_gives(lines: list[tuple[str, str]]) -> None:
    everybody = waiting(" ".join(track + who for track, who in lines))
    remaining, expected, served = list(everybody), [], NOBODY
    while remaining:
        first = in_order(remaining, served)[0]
        moment = START + timedelta(days=len(expected))
        served = Served(
            tracks={**served.tracks, first.track: moment}, lines={**served.lines, first.line: moment}
        )
        expected.append(first)
        remaining.remove(first)

    assert in_order(everybody, NOBODY) == expected


@given(st.integers(1, 30), st.integers(1, 5))
def test_a_newcomer_waits_for_one_turn_of_each_participant_at_most(hoard: int, others: int) -> None:
    crowd = " ".join(f"1{chr(ord('b') + n % others)}" for n in range(hoard * others))

    order = names(in_order(waiting(f"{crowd} 1a"), NOBODY)).split()

    assert order.index("1a") <= others
