"""Staff set up a second factor before anything else, where the site asks for it."""

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from competition.accounts.second_factor import MESSAGE

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _asked_for(settings):
    settings.STAFF_SECOND_FACTOR = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.mark.parametrize("name", ["home", "admin:index", "account", "my-submissions", "api-submissions"])
def test_staff_without_one_are_led_to_where_they_set_one_up(client, staff, name):
    client.force_login(staff)

    answer = client.get(reverse(name))

    assert (answer.status_code, answer.url) == (302, reverse("mfa_activate_totp"))


def test_the_page_that_sets_one_up_says_why(client, staff):
    staff.set_password(PASSWORD)
    staff.save()
    client.post(reverse("account_login"), {"login": staff.username, "password": PASSWORD})

    page = client.get(reverse("home"), follow=True)

    assert page.status_code == 200
    assert MESSAGE in page.content.decode()


def test_staff_with_one_go_on(client, staff):
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})
    client.force_login(staff)

    assert client.get(reverse("admin:index")).status_code == 200


def test_participants_need_none(client, alice):
    client.force_login(alice)

    assert client.get(reverse("account")).status_code == 200


def test_staff_without_one_get_no_token_for_a_password(client, staff):
    staff.set_password(PASSWORD)
    staff.save()

    refused = client.post("/api/token/", {"username": staff.username, "password": PASSWORD})

    assert (refused.status_code, refused.json()["code"]) == (403, "second_factor_required")


def test_where_the_site_does_not_ask_nobody_is_led_away(client, staff, settings):
    settings.STAFF_SECOND_FACTOR = False
    client.force_login(staff)

    assert client.get(reverse("admin:index")).status_code == 200
