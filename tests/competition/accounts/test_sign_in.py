"""Wrong passwords from elsewhere never lock an owner out; who guesses locks themselves out."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

PASSWORD = "correct horse battery"
HOME = "192.0.2.1"
STRANGER = "198.51.100.66"
Attempt = Callable[..., HttpResponse]


@pytest.fixture(autouse=True)
def _count_quickly_and_anew(settings: Settings) -> None:
    cache.clear()
    settings.LOGIN_RATE_PAIR = "3/h"
    settings.LOGIN_RATE_ADDRESS = "6/h"


@pytest.fixture
def carol(db: None) -> User:
    return User.objects.create_user("carol", "carol@example.org", PASSWORD)


def on_the_page(name: str, password: str, address: str, **headers: str) -> HttpResponse:
    form = {"login": name, "password": password}
    return Client(REMOTE_ADDR=address, **headers).post("/accounts/login/", form)


def in_the_api(name: str, password: str, address: str, **headers: str) -> HttpResponse:
    body = {"username": name, "password": password}
    return Client(REMOTE_ADDR=address, **headers).post("/api/token/", body, content_type="application/json")


def succeeded(answer: HttpResponse) -> bool:
    return answer.status_code == 302 or (answer.status_code == 200 and b'"token"' in answer.content)


both = pytest.mark.parametrize("attempt", [on_the_page, in_the_api])


@both
def test_a_stranger_cannot_lock_the_owner_out(carol: User, attempt: Attempt) -> None:
    for name in ("carol", "carol@example.org"):
        for _ in range(10):
            attempt(name, "guess", STRANGER)

    assert succeeded(on_the_page("carol", PASSWORD, HOME))
    assert succeeded(in_the_api("carol", PASSWORD, HOME))


@both
def test_strangers_from_many_addresses_cannot_either(carol: User, attempt: Attempt) -> None:
    for number in range(20):
        attempt("carol", "guess", f"203.0.113.{number}")

    assert succeeded(attempt("carol", PASSWORD, HOME))


@both
def test_the_same_pair_is_limited_even_with_the_right_password(carol: User, attempt: Attempt) -> None:
    wrong = [attempt("carol", "guess", STRANGER) for _ in range(3)]

    assert not any(b"Too many" in answer.content for answer in wrong)
    assert b"Too many wrong passwords" in attempt("carol", PASSWORD, STRANGER).content
    assert not succeeded(attempt("carol", PASSWORD, STRANGER))


@both
def test_an_address_that_tries_many_names_is_limited(carol: User, attempt: Attempt) -> None:
    for number in range(6):
        attempt(f"name{number}", "guess", STRANGER)

    assert not succeeded(attempt("carol", PASSWORD, STRANGER))


def test_page_and_api_count_together(carol: User) -> None:
    for _ in range(3):
        on_the_page("carol", "guess", STRANGER)

    assert in_the_api("carol", PASSWORD, STRANGER).status_code == 429


@both
def test_right_passwords_are_not_counted(carol: User, attempt: Attempt) -> None:
    assert all(succeeded(attempt("carol", PASSWORD, HOME)) for _ in range(12))


def test_the_api_says_with_a_code_when_to_try_again(carol: User) -> None:
    for _ in range(3):
        in_the_api("carol", "guess", STRANGER)

    answer = in_the_api("carol", "guess", STRANGER)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (429, "throttled")
    assert 0 < body["retry_after_s"] <= 3600
    assert answer["Retry-After"] == str(body["retry_after_s"])


def test_the_page_says_when_to_try_again(carol: User) -> None:
    for _ in range(3):
        on_the_page("carol", "guess", STRANGER)

    answer = on_the_page("carol", "guess", STRANGER)

    assert "Try again in" in answer.content.decode()


@both
def test_a_forged_header_neither_evades_the_limit_nor_blames_the_owner(carol: User, attempt: Attempt) -> None:
    for number in range(6):
        attempt(f"name{number}", "guess", STRANGER, HTTP_X_FORWARDED_FOR=HOME)

    assert not succeeded(attempt("carol", PASSWORD, STRANGER, HTTP_X_FORWARDED_FOR="203.0.113.5"))
    assert succeeded(attempt("carol", PASSWORD, HOME))


@both
def test_behind_a_proxy_the_owner_is_not_counted_with_the_stranger(
    carol: User, attempt: Attempt, settings: Settings
) -> None:
    settings.PROXIES = 1
    proxy = "10.0.0.1"
    for number in range(9):
        attempt(f"name{number}", "guess", proxy, HTTP_X_FORWARDED_FOR=f"{HOME}, {STRANGER}")

    assert not succeeded(attempt("carol", PASSWORD, proxy, HTTP_X_FORWARDED_FOR=f"{HOME}, {STRANGER}"))
    assert succeeded(attempt("carol", PASSWORD, proxy, HTTP_X_FORWARDED_FOR=HOME))


def test_a_new_password_may_be_used_at_once_where_the_old_one_was_guessed_at(
    carol: User, client: Client
) -> None:
    for _ in range(4):
        on_the_page("carol", "forgotten", HOME)
    change = Client(REMOTE_ADDR=HOME)
    change.force_login(carol)
    new = "battery staple horse"
    change.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert succeeded(on_the_page("carol", new, HOME))
