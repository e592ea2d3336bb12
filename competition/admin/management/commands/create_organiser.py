"""Create an account that may arrange competitions in the admin, without being a superuser."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from competition.admin.organisers import organisers
from competition.tracks.models import Competition


class Command(BaseCommand):
    help = "Create a staff account in the group “Organisers” and print its password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="")
        parser.add_argument(
            "--competition",
            action="append",
            default=[],
            metavar="SLUG",
            help="Give this competition to the account. May be given several times.",
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model()._default_manager
        username = options["username"]
        if users.filter(username=username).exists():
            raise CommandError(f"The account “{username}” already exists.")
        competitions = [self._competition(slug) for slug in options["competition"]]
        password = secrets.token_urlsafe(12)
        user = users.create_user(username, options["email"], password, is_staff=True)
        user.groups.add(organisers())
        self.stdout.write(f"Password for {username}: {password}")
        user.organised_competitions.set(competitions)
        self.stdout.write("Write it down: it is shown only once. Change it at /admin/password_change/.")
        if not competitions:
            self.stdout.write(
                "The account has no competition yet. It may create one, or be added to one in the admin."
            )

    def _competition(self, slug: str) -> Competition:
        try:
            return Competition.objects.get(slug=slug)
        except Competition.DoesNotExist as exc:
            raise CommandError(f"Unknown competition “{slug}”.") from exc
