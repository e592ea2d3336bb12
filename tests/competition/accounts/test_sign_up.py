"""Signing up: where it leads afterwards, and what is said of the confirmation by e-mail."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from competition.tracks.models import Track

pytestmark = pytest.mark.django_db
FORM = {
    "username": "dora",
    "email": "dora@example.org",
    "password1": "correct horse battery",
    "password2": "correct horse battery",
}


@pytest.fixture(autouse=True)
def _no_attempts_yet() -> None:
    cache.clear()  # allauth counts sign-ups there


def sign_up(client: Client) -> str:
    return client.post(reverse("account_signup"), FORM, follow=True).content.decode()


@pytest.mark.parametrize("kind", ["console", "dummy", "filebased"])
def test_a_site_whose_mail_reaches_nobody_does_not_claim_that_it_sent_any(
    client: Client, settings: Settings, kind: str
) -> None:
    settings.EMAIL_BACKEND = f"django.core.mail.backends.{kind}.EmailBackend"
    settings.EMAIL_FILE_PATH = settings.MEDIA_ROOT

    page = sign_up(client)

    assert "Confirmation email sent" not in page
    assert "This site sends no e-mail, so your address dora@example.org stays unconfirmed." in page


def test_a_site_that_sends_mail_says_so(client: Client, mailoutbox: list[object]) -> None:
    page = sign_up(client)

    assert "Confirmation email sent to dora@example.org." in page
    assert len(mailoutbox) == 1


def links_to(page: str, name: str) -> list[str]:
    """Return where the links to a page say that they lead back to."""
    found = re.findall(rf'href="({reverse(name)}[^"]*)"', page)
    return [parse_qs(urlsplit(link).query)["next"][0] for link in found]


@pytest.mark.parametrize("name", ["account_login", "account_signup"])
def test_the_header_leads_back_to_the_page_that_one_came_from(
    client: Client, track: Track, name: str
) -> None:
    board = f"{reverse('leaderboard', args=[track.slug])}?split=public&page=2"

    assert links_to(client.get(board).content.decode(), name) == [board]


def test_changing_between_signing_in_and_signing_up_keeps_where_both_lead(
    client: Client, track: Track
) -> None:
    wanted = reverse("submit", args=[track.slug])

    page = client.get(reverse("account_login"), {"next": wanted}).content.decode()

    assert set(links_to(page, "account_signup")) == {wanted}
    assert client.post(reverse("account_signup"), {**FORM, "next": wanted}).url == wanted
