"""`manage.py backup DEST`: rows, files and the site's key into a new folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competition.clock import database_now
from competition.upkeep.backup import BackupProblem, back_up


class Command(BaseCommand):
    help = "Write rows, stored files and the site's key into a new folder, while the site goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", type=Path, metavar="DEST", help="A folder that is empty or not there.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = back_up(options["target"], database_now())
        except BackupProblem as exc:
            raise CommandError(f"No backup was made: {exc}.", returncode=1) from exc
        self.stdout.write(f"{made.rows:,} rows, {made.files:,} files of {made.file_bytes:,} bytes.")
        self.stdout.write("The folder holds hidden data and the site's key: keep it as safe as the site.")
