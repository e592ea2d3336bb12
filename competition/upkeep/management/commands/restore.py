"""`manage.py restore SRC`: a backup into an empty installation."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competition.upkeep.backup import KEY, BackupProblem
from competition.upkeep.restore import restore


class Command(BaseCommand):
    help = "Bring a backup into an empty installation whose tables are there (`manage.py migrate`)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", type=Path, metavar="SRC", help="The folder of a backup.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = restore(options["source"])
        except BackupProblem as exc:
            raise CommandError(f"Nothing was restored: {exc}.", returncode=1) from exc
        made = done.manifest
        self.stdout.write(f"{made.rows:,} rows, {made.files:,} files, as of {made.made_at}.")
        if done.key_differs:
            kept = options["source"] / KEY
            self.stdout.write(f"Set SECRET_KEY to what {kept} holds: second factors and sessions need it.")
