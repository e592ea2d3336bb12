import pytest
from django.urls import reverse

from competition.accounts.models import AccessToken
from competition.accounts.tokens import make_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _signed_in(client, alice):
    client.force_login(alice)


def works(client, token):
    client.logout()
    return client.get("/api/submissions/", HTTP_AUTHORIZATION=f"Token {token}").status_code == 200


def shown(client):
    return client.get(reverse("account")).content.decode()


def test_the_account_page_needs_a_sign_in(client):
    client.logout()

    assert client.get(reverse("account")).status_code == 302


def test_a_token_is_shown_once_and_works(client):
    client.post(reverse("make-token"), {"name": "laptop"})

    page = client.get(reverse("account"))
    token = page.context["new"]
    assert token in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert token not in shown(client)
    assert works(client, token)


def test_reloading_the_page_keeps_the_token_that_was_just_copied(client):
    client.post(reverse("make-token"), {"name": "laptop"})
    token = client.get(reverse("account")).context["new"]

    shown(client)
    shown(client)

    assert AccessToken.objects.count() == 1
    assert works(client, token)


def test_a_new_token_leaves_the_others_working(client, alice):
    first = make_token(owner=alice, name="laptop")

    client.post(reverse("make-token"), {"name": "CI"})

    assert works(client, first)


def test_tokens_are_listed_with_name_beginning_and_last_use(client, alice):
    token = make_token(owner=alice, name="laptop")
    assert f"<code>{token[:6]}…</code>" in shown(client)
    assert "never" in shown(client)

    works(client, token)

    client.force_login(alice)
    assert "never" not in shown(client)
    assert token not in shown(client)


def test_a_token_without_a_name_is_not_made(client):
    answer = client.post(reverse("make-token"), {"name": " "})

    assert answer.status_code == 400
    assert not AccessToken.objects.exists()


def test_one_token_is_revoked_and_the_other_goes_on(client, alice):
    first, second = (make_token(owner=alice, name=name) for name in ("laptop", "CI"))

    answer = client.post(
        reverse("revoke-token", args=[AccessToken.objects.get(name="laptop").pk]), follow=True
    )

    assert "The token “laptop” no longer works." in answer.content.decode()
    assert not works(client, first)
    assert works(client, second)


def test_a_link_cannot_touch_a_token(client, alice):
    make_token(owner=alice, name="laptop")

    for address in (reverse("make-token"), reverse("revoke-token", args=[AccessToken.objects.get().pk])):
        assert client.get(address).status_code == 405


def test_another_participants_token_stays(client, bob):
    make_token(owner=bob, name="laptop")

    answer = client.post(reverse("revoke-token", args=[AccessToken.objects.get().pk]))

    assert answer.status_code == 404
    assert AccessToken.objects.filter(user=bob).exists()


def test_where_one_is_signed_in_is_listed_and_ended(client, alice, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    alice.set_password("correct horse battery")
    alice.save()
    elsewhere, here = type(client)(), type(client)()
    for browser, agent in ((elsewhere, "Old phone"), (here, "Laptop")):
        browser.post(
            reverse("account_login"),
            {"login": "alice", "password": "correct horse battery"},
            headers={"user-agent": agent},
        )
        browser.get(reverse("account"), headers={"user-agent": agent})

    page = here.get(reverse("usersessions_list"), headers={"user-agent": "Laptop"}).content.decode()
    assert "Old phone" in page
    assert "Sign out everywhere else" in page
    here.post(reverse("usersessions_list"), headers={"user-agent": "Laptop"})

    assert elsewhere.get(reverse("account")).status_code == 302
    assert here.get(reverse("account")).status_code == 200
