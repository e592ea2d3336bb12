"""Sign-up and tokens in the API: the site's own rules, and no way round them."""

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core import mail
from pytest_django import Settings
from rest_framework.test import APIClient

from competition.accounts.tokens import make_token

PASSWORD = "correct horse battery"
ACCOUNT = {"username": "carol", "email": "carol@example.org", "password": PASSWORD}


@pytest.fixture
def carol(db: None) -> User:
    return User.objects.create_user("carol", "carol@example.org", PASSWORD)


def sign_up(caller: APIClient, **changes: object) -> Any:
    return caller.post("/api/accounts/", ACCOUNT | changes, format="json")


def ask_token(caller: APIClient, username: str = "carol", password: str = PASSWORD) -> Any:
    return caller.post("/api/token/", {"username": username, "password": password}, format="json")


@pytest.mark.django_db
def test_who_signs_up_gets_a_token_and_may_submit(anonymous: APIClient) -> None:
    answer = sign_up(anonymous)
    token = ask_token(anonymous).json()["token"]

    assert answer.status_code == 201
    assert answer.json() == {"username": "carol", "email": "carol@example.org"}
    assert APIClient(HTTP_AUTHORIZATION=f"Token {token}").get("/api/submissions/").status_code == 200


@pytest.mark.django_db
def test_who_signs_up_is_sent_a_mail_to_confirm_the_address(anonymous: APIClient) -> None:
    sign_up(anonymous)

    assert [message.to for message in mail.outbox] == [["carol@example.org"]]


@pytest.mark.django_db
def test_nobody_makes_themselves_staff(anonymous: APIClient) -> None:
    sign_up(anonymous, is_staff=True, is_superuser=True)

    user = User.objects.get()
    assert (user.is_staff, user.is_superuser) == (False, False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "password12"}, "password"),
        ({"password": "carol@example.org"}, "password"),
        ({"username": ""}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "<b>"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"username": None}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"email": ["a@b.org"]}, "email"),
    ],
)
def test_a_bad_field_is_refused_by_name(anonymous: APIClient, changes: dict[str, object], field: str) -> None:
    answer = sign_up(anonymous, **changes)

    assert answer.status_code == 400
    assert {finding["path"] for finding in answer.json()["findings"]} == {field}
    assert not User.objects.exists()


def test_a_name_that_is_taken_is_refused_whatever_its_case(anonymous: APIClient, carol: User) -> None:
    answer = sign_up(anonymous, username="Carol", email="other@example.org")

    assert answer.status_code == 400
    assert User.objects.count() == 1


def test_each_call_gives_a_token_of_its_own_and_both_work(anonymous: APIClient, carol: User) -> None:
    given = [ask_token(anonymous).json()["token"] for _ in range(2)]

    assert len(set(given)) == 2
    assert [
        APIClient(HTTP_AUTHORIZATION=f"Token {token}").get("/api/tokens/").status_code for token in given
    ] == [200, 200]


def test_tokens_are_listed_without_themselves_and_revoked_one_by_one(
    anonymous: APIClient, carol: User
) -> None:
    token = ask_token(anonymous).json()["token"]
    make_token(owner=carol, name="laptop")
    caller = APIClient(HTTP_AUTHORIZATION=f"Token {token}")

    listed = caller.get("/api/tokens/")
    assert [row["name"] for row in listed.json()["results"]] == ["laptop", "Made through the API"]
    assert token not in listed.content.decode()
    laptop, own = (row["id"] for row in listed.json()["results"])
    assert caller.delete(f"/api/tokens/{laptop}/").status_code == 204
    assert caller.delete(f"/api/tokens/{laptop}/").status_code == 404
    assert caller.delete(f"/api/tokens/{own}/").status_code == 204
    assert caller.get("/api/tokens/").status_code == 401


@pytest.mark.parametrize(("username", "password"), [("carol", "wrong"), ("nobody", PASSWORD), ("carol", "")])
def test_whoever_cannot_prove_it_gets_no_token(
    anonymous: APIClient, carol: User, username: str, password: str
) -> None:
    answer = ask_token(anonymous, username, password)

    assert answer.status_code in {400, 401}
    assert "token" not in answer.json()


def test_a_wrong_name_and_a_wrong_password_answer_alike(anonymous: APIClient, carol: User) -> None:
    assert ask_token(anonymous, "carol", "wrong").json() == ask_token(anonymous, "nobody", "wrong").json()


def test_an_account_that_was_closed_gets_no_token(anonymous: APIClient, carol: User) -> None:
    User.objects.update(is_active=False)

    assert ask_token(anonymous).status_code == 401


def test_a_password_alone_does_not_go_round_the_second_factor(anonymous: APIClient, carol: User) -> None:
    Authenticator.objects.create(user=carol, type=Authenticator.Type.TOTP, data={"secret": "x"})

    answer = ask_token(anonymous)

    assert answer.status_code == 403
    assert answer.json()["code"] == "second_factor_required"


@pytest.mark.parametrize(("verified", "status"), [(False, 403), (True, 200)])
def test_where_addresses_must_be_confirmed_a_token_needs_it_too(
    anonymous: APIClient, carol: User, settings: Settings, verified: bool, status: int
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    EmailAddress.objects.create(user=carol, email=carol.email, primary=True, verified=verified)

    assert ask_token(anonymous).status_code == status


def test_a_forged_forwarding_header_does_not_evade_throttling(
    anonymous: APIClient, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rest_framework.throttling.ScopedRateThrottle.THROTTLE_RATES", {"sign_up": "2/hour"})

    answers = [
        sign_up(anonymous.__class__(HTTP_X_FORWARDED_FOR=f"192.0.2.{n}"), username="") for n in range(3)
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 429]
