"""Create an account that may arrange competitions in the admin, without being a superuser."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from competition.admin.organisers import organisers


class Command(BaseCommand):
    help = "Create a staff account in the group “Organisers” and print its password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--email", default="")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        users = get_user_model()._default_manager
        username = options["username"]
        if users.filter(username=username).exists():
            raise CommandError(f"The account “{username}” already exists.")
        password = secrets.token_urlsafe(12)
        user = users.create_user(username, options["email"], password, is_staff=True)
        user.groups.add(organisers())
        self.stdout.write(f"Password for {username}: {password}")
        self.stdout.write("Write it down: it is shown only once. Change it at /admin/password_change/.")
