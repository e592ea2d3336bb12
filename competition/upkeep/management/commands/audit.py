"""`manage.py audit [--repair]`: what database and storage disagree about; fails if anything is left wrong."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competition.clock import database_now
from competition.upkeep.audit import Disagreement, disagreements


class Command(BaseCommand):
    help = "List what rows, stored files, boards and the queue disagree about."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Repair what can be repaired.")

    def handle(self, *args: Any, **options: Any) -> None:
        left = sum(self._tell(found, repair=options["repair"]) for found in disagreements(database_now()))
        if left:
            raise CommandError(f"Disagreements left: {left:,}.", returncode=1)
        self.stdout.write("Database and storage agree.")

    def _tell(self, found: Disagreement, *, repair: bool) -> bool:
        """Write a line, repair if asked, and say whether the disagreement is still there."""
        if repair and found.repair is not None:
            found.repair()
            outcome = "repaired"
        else:
            outcome = "to be repaired by --repair" if found.repair else "needs a backup, or the organisers"
        self.stdout.write(f"{found.kind}: {found.subject}: {found.detail} ({outcome})")
        return outcome != "repaired"
