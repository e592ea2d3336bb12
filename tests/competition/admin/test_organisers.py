"""Organisers: accounts that may arrange competitions and nothing else."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from competition.tracks.models import Competition

pytestmark = pytest.mark.django_db


def create_organiser(name: str, *options: str) -> str:
    """Run the command and return what it printed."""
    out = io.StringIO()
    call_command("create_organiser", name, *options, stdout=out)
    return out.getvalue()


def test_an_organiser_is_staff_but_no_superuser() -> None:
    password = create_organiser("grace").split("grace: ")[1].split()[0]

    grace = User.objects.get(username="grace")
    assert grace.check_password(password)
    assert (grace.is_staff, grace.is_superuser) == (True, False)
    assert grace.has_perms(["tracks.change_track", "tracks.add_dataset", "submissions.change_evaluation"])
    assert not grace.has_perm("auth.change_user")


def test_an_account_is_not_created_twice() -> None:
    create_organiser("grace")

    with pytest.raises(CommandError):
        create_organiser("grace")


def test_an_organiser_is_given_competitions_at_once(competition: Competition) -> None:
    printed = create_organiser("grace", "--competition", competition.slug)

    assert list(User.objects.get(username="grace").organised_competitions.all()) == [competition]
    assert "no competition" not in printed


def test_an_organiser_without_a_competition_is_announced_as_such() -> None:
    assert "no competition yet" in create_organiser("grace")


def test_an_unknown_competition_makes_no_account() -> None:
    with pytest.raises(CommandError, match="Unknown competition"):
        create_organiser("grace", "--competition", "nowhere")

    assert not User.objects.exists()
