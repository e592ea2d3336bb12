"""Counting wrong passwords: by address and by pair, in stretches of time."""

import pytest
from django.core.cache import cache
from pytest_django import Settings

from competition.accounts.guesses import Rate, forget_pair, give_back, take_attempt

NOW = 1_000_000.0 * 300 + 100  # a stretch of five minutes began 100 seconds ago


@pytest.fixture(autouse=True)
def _two_at_a_name_and_four_from_an_address(settings: Settings) -> None:
    cache.clear()
    settings.LOGIN_RATE_PAIR = "2/5m"
    settings.LOGIN_RATE_ADDRESS = "4/5m"


def waits(*pairs: tuple[str, str], now: float = NOW) -> list[int]:
    return [take_attempt(address=address, name=name, now=now) for address, name in pairs]


def test_a_pair_is_limited_and_told_when_its_stretch_ends() -> None:
    assert waits(*[("a", "carol")] * 4) == [0, 0, 200, 200]
    assert waits(("a", "carol"), now=NOW + 199.9) == [1]
    assert waits(("a", "carol"), now=NOW + 200) == [0]


def test_spelling_a_name_otherwise_makes_no_other_pair() -> None:
    assert waits(("a", "carol"), ("a", "CAROL"), ("a", " Carol ")) == [0, 0, 200]


def test_an_address_is_limited_whatever_names_it_tries() -> None:
    assert waits(*[("a", f"name{number}") for number in range(6)]) == [0, 0, 0, 0, 200, 200]


def test_another_address_is_not_touched() -> None:
    waits(*[("a", "carol")] * 9)

    assert waits(("b", "carol")) == [0]


def test_a_right_password_counts_nowhere() -> None:
    for _ in range(9):
        assert waits(("a", "carol")) == [0]
        give_back(address="a", name="carol", now=NOW)

    assert waits(("a", "carol"), ("a", "carol"), ("a", "carol")) == [0, 0, 200]


def test_an_attempt_that_may_not_be_made_counts_nowhere() -> None:
    waits(*[("a", "carol")] * 50)

    assert waits(("a", "dave"), ("a", "dave"), ("a", "erin")) == [0, 0, 200]


def test_a_new_password_forgets_the_pair_and_not_the_address() -> None:
    waits(("a", "carol"), ("a", "carol"), ("a", "dave"))
    forget_pair(address="a", name="carol", now=NOW)

    assert waits(("a", "carol"), ("a", "carol")) == [0, 200]


@pytest.mark.parametrize(
    ("text", "amount", "window_s"),
    [("5/5m", 5, 300), ("10/min", 10, 60), ("100/day", 100, 86_400), ("0/1s", 0, 1), ("3/2h", 3, 7200)],
)
def test_a_rate_is_read(text: str, amount: int, window_s: int) -> None:
    assert Rate.parse(text) == Rate(amount=amount, window_s=window_s)


@pytest.mark.parametrize("text", ["", "5", "5/0m", "-1/m", "5/m/ip", "5/week", "five/m"])
def test_a_rate_that_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        Rate.parse(text)
