"""Ranks against a brute-force count of who is better than whom."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from competition.leaderboard.ranking import Contender, rank
from tests.examples import START


def contender(key: int, value: float, *, margin: float = 0.0, minute: int = 0) -> Contender:
    return Contender(
        key=key,
        value=value,
        ci_low=value - margin,
        ci_high=value + margin,
        achieved_at=START + timedelta(minutes=minute),
    )


def field(*values: float) -> list[Contender]:
    return [contender(key, value) for key, value in enumerate(values)]


@pytest.mark.parametrize(("higher_is_better", "ranks"), [(True, [2, 2, 4, 1]), (False, [2, 2, 1, 4])])
def test_equal_values_share_a_rank_and_the_next_is_left_out(higher_is_better: bool, ranks: list[int]) -> None:
    places = rank(field(0.5, 0.5, 0.1, 0.9), higher_is_better=higher_is_better)

    assert [place.rank for place in sorted(places, key=lambda p: p.key)] == ranks


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_of_equal_values_the_earlier_is_shown_first(higher_is_better: bool) -> None:
    late, early = contender(1, 0.5, minute=9), contender(2, 0.5, minute=1)

    assert [p.key for p in rank([late, early], higher_is_better=higher_is_better)] == [2, 1]


def test_nobody_has_no_rank() -> None:
    assert rank([], higher_is_better=True) == ()


@pytest.mark.parametrize("name", ["value", "ci_low", "ci_high"])
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused(name: str, number: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        rank([replace(contender(1, 0.5), **{name: number})], higher_is_better=True)


def test_an_interval_that_is_upside_down_is_refused() -> None:
    with pytest.raises(ValueError, match="upside down"):
        rank([contender(1, 0.5, margin=-0.1)], higher_is_better=True)


def test_intervals_that_touch_leave_both_ranks_open() -> None:
    places = rank([contender(1, 0.6, margin=0.25), contender(2, 0.1, margin=0.25)], higher_is_better=True)

    assert [(p.rank_low, p.rank_high) for p in places] == [(1, 2), (1, 2)]


def test_intervals_that_are_apart_settle_the_ranks() -> None:
    places = rank([contender(1, 0.6, margin=0.1), contender(2, 0.1, margin=0.1)], higher_is_better=True)

    assert [(p.rank_low, p.rank_high) for p in places] == [(1, 1), (2, 2)]


TENTHS = st.integers(0, 10).map(lambda tenth: tenth / 10)
CONTENDERS = st.lists(st.tuples(TENTHS, TENTHS), max_size=9).map(
    lambda rows: [contender(key, value, margin=margin) for key, (value, margin) in enumerate(rows)]
)


@given(CONTENDERS, st.booleans())
def test_ranks_and_intervals_are_what_counting_gives(field: list[Contender], higher: bool) -> None:
    by_key = {c.key: c for c in field}

    for place in rank(field, higher_is_better=higher):
        me = by_key[place.key]
        more = [c for c in field if c.value > me.value]
        less = [c for c in field if c.value < me.value]
        above = [c for c in field if c.ci_low > me.ci_high]
        below = [c for c in field if c.ci_high < me.ci_low]
        surely_better, surely_worse = (above, below) if higher else (below, above)
        assert place.rank == 1 + len(more if higher else less)
        assert place.rank_low == 1 + len(surely_better)
        assert place.rank_high == len(field) - len(surely_worse)
        assert place.rank_low <= place.rank <= place.rank_high


@given(CONTENDERS, st.booleans(), st.randoms())
def test_the_order_of_rows_does_not_matter(field: list[Contender], higher: bool, random: object) -> None:
    shuffled = sorted(field, key=lambda _: random.random())

    assert rank(shuffled, higher_is_better=higher) == rank(field, higher_is_better=higher)
