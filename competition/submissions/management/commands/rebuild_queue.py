"""`manage.py rebuild_queue [--check]`: make the order of the queue what the evaluations say."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competition.submissions import lifecycle


class Command(BaseCommand):
    help = "Rebuild the lines and lanes that hold the order of the queue from the evaluations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="Change nothing, and fail if anything differs."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        drift = lifecycle.examine_queue() if options["check"] else lifecycle.rebuild_queue()
        self.stdout.write(
            f"wrong: lanes of {drift.misplaced} evaluations, {drift.lanes} lanes, {drift.lines} lines"
        )
        if options["check"] and drift:
            raise CommandError("The queue differs from its evaluations. Run without --check to repair it.")
