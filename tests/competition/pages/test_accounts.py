import pytest
from django.urls import reverse
from rest_framework.authtoken.models import Token

pytestmark = pytest.mark.django_db


def test_the_account_page_needs_a_sign_in(client):
    assert client.get(reverse("account")).status_code == 302


def test_a_token_is_shown_in_the_reply_and_never_again(client, alice):
    client.force_login(alice)

    made = client.post(reverse("renew-token"))
    key = Token.objects.get(user=alice).key

    assert key in made.content.decode()
    assert "no-store" in made["Cache-Control"]
    assert key not in client.get(reverse("account")).content.decode()


def test_a_new_token_ends_the_old_one(client, alice):
    client.force_login(alice)
    old = Token.objects.create(user=alice).key

    client.post(reverse("renew-token"))

    assert client.get("/api/submissions/", HTTP_AUTHORIZATION=f"Token {old}").status_code == 401


def test_a_revoked_token_is_gone(client, alice):
    client.force_login(alice)
    Token.objects.create(user=alice)

    client.post(reverse("revoke-token"))

    assert not Token.objects.filter(user=alice).exists()


@pytest.mark.parametrize("name", ["renew-token", "revoke-token"])
def test_a_link_cannot_touch_a_token(client, alice, name):
    client.force_login(alice)

    assert client.get(reverse(name)).status_code == 405


def test_another_participants_token_stays(client, alice, bob):
    client.force_login(alice)
    Token.objects.create(user=bob)

    client.post(reverse("revoke-token"))

    assert Token.objects.filter(user=bob).exists()
