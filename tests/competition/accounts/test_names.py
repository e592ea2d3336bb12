"""User names that look like other people's are refused, on the page and in the API alike."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

PASSWORD = "correct horse battery"
SignUp = Callable[[str], str]


@pytest.fixture(autouse=True)
def _count_anew() -> None:
    cache.clear()


def on_the_page(name: str) -> str:
    form = {"username": name, "email": "x@example.org", "password1": PASSWORD, "password2": PASSWORD}
    return Client().post("/accounts/signup/", form).content.decode()


def in_the_api(name: str) -> str:
    body = {"username": name, "email": "x@example.org", "password": PASSWORD}
    return Client().post("/api/accounts/", body, content_type="application/json").content.decode()


both = pytest.mark.parametrize("sign_up", [on_the_page, in_the_api])


@both
@pytest.mark.parametrize("name", ["аlice", "раураl", "Ωmega"])
def test_a_name_that_mixes_letters_that_look_alike_is_refused_with_a_reason(
    db: None, sign_up: SignUp, name: str
) -> None:
    answer = sign_up(name)

    assert "mixes letters of several scripts that look alike" in answer
    assert not User.objects.exists()


@both
@pytest.mark.parametrize("name", ["alice_1", "алиса", "müller", "李雷", "ΑΒΓ"])
def test_a_name_of_one_script_is_taken(db: None, sign_up: SignUp, name: str) -> None:
    sign_up(name)

    assert User.objects.get().username == name
