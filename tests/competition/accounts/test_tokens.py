"""Access tokens: only their digests are stored, old ones go on, and there are never too many."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from competition.accounts import tokens
from competition.accounts.models import AccessToken
from competition.accounts.tokens import make_token

pytestmark = pytest.mark.django_db


def test_the_token_itself_is_not_in_the_database(alice):
    token = make_token(owner=alice, name="laptop")

    row = AccessToken.objects.get()
    assert token not in {str(value) for value in vars(row).values()}
    assert row.digest == tokens.digest(token)
    assert len(token) == 40


def test_the_least_recently_used_token_ends_where_there_are_too_many(alice, monkeypatch):
    monkeypatch.setattr(tokens, "MAX_TOKENS", 2)
    now = timezone.now()
    for name, used in (("busy", now), ("idle", now - timedelta(days=1))):
        make_token(owner=alice, name=name)
        AccessToken.objects.filter(name=name).update(last_used_at=used, created_at=now - timedelta(days=2))

    make_token(owner=alice, name="new")

    assert set(AccessToken.objects.values_list("name", flat=True)) == {"busy", "new"}


def test_the_last_use_is_written_once_a_minute(alice, as_token, django_assert_num_queries):
    ask = as_token(make_token(owner=alice, name="laptop"))
    ask()
    first = AccessToken.objects.get().last_used_at

    ask()

    assert AccessToken.objects.get().last_used_at == first
    AccessToken.objects.update(last_used_at=first - timedelta(minutes=2))
    ask()
    assert AccessToken.objects.get().last_used_at >= first


@pytest.mark.parametrize("token", ["none", "é", "0" * 40, "x" * 10_000])
def test_an_unknown_token_is_refused(as_token, token):
    answer = as_token(token)()

    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_failed")


def test_a_closed_accounts_token_is_refused(alice, as_token):
    token = make_token(owner=alice, name="laptop")
    alice.is_active = False
    alice.save()

    assert as_token(token)().status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_token_of_an_older_release_goes_on(as_token, django_user_model):
    before, after = [("accounts", None)], [("accounts", "0001_access_tokens")]
    executor = MigrationExecutor(connection)
    executor.migrate(before)
    old = executor.loader.project_state([("authtoken", "0003_tokenproxy")]).apps
    user = django_user_model.objects.create_user("carol")
    old.get_model("authtoken", "Token").objects.create(user_id=user.pk, key="0123456789" * 4)

    executor = MigrationExecutor(connection)
    executor.migrate(after)

    assert as_token("0123456789" * 4)().status_code == 200
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


@pytest.fixture
def as_token(client):
    """Return a function that returns a function that asks with a token."""

    def with_token(token):
        return lambda: client.get(
            "/api/submissions/", headers={"authorization": f"Token {token}".encode().decode("latin-1")}
        )

    return with_token
