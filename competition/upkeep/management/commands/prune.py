"""`manage.py prune --older-than 180d --what logs,reports,entries [--dry-run]`: what is old and unread."""

import re
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand

from competition.clock import database_now
from competition.upkeep.pruning import Kind, Reach, amount, prune

AGE: Final = re.compile(r"([1-9][0-9]{0,4})([dwy])")
DAYS: Final = {"d": 1, "w": 7, "y": 365}
UNITS: Final = {Kind.LOGS: "characters", Kind.REPORTS: "characters", Kind.ENTRIES: "bytes"}


class Command(BaseCommand):
    help = (
        "Remove old logs, reports and entry files, in batches. Boards, scores, digests and the audit trail stay. "
        "May be broken off and run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=age, required=True, metavar="AGE", help="For example 180d, 26w or 2y."
        )
        parser.add_argument(
            "--what",
            type=kinds,
            default=tuple(Kind),
            metavar="KINDS",
            help=f"Some of {','.join(Kind)}; by default all of them.",
        )
        parser.add_argument(
            "--open-tracks",
            action="store_true",
            help="Entries of tracks whose window has not ended, too: they cannot be scored again.",
        )
        parser.add_argument("--on-boards", action="store_true", help="Entries that stand on a board, too.")
        parser.add_argument("--dry-run", action="store_true", help="Tell what would be removed.")

    def handle(self, *args: Any, **options: Any) -> None:
        now = database_now()
        reach = Reach(
            before=now - options["older_than"],
            now=now,
            on_boards=options["on_boards"],
            of_open_tracks=options["open_tracks"],
        )
        for kind in options["what"]:
            found = amount(kind, reach)
            told = f"{kind}: {found.number:,}, {found.size:,} {UNITS[kind]}"
            if options["dry_run"]:
                self.stdout.write(f"{told}, would be removed")
                continue
            self.stdout.write(told)
            removed = 0
            for number in prune(kind, reach):
                removed += number
                if options["verbosity"] > 1:
                    self.stdout.write(f"{kind}: {removed:,} removed so far")
            self.stdout.write(f"{kind}: {removed:,} removed")


def age(text: str) -> timedelta:
    """Return how long `180d`, `26w` or `2y` is."""
    found = AGE.fullmatch(text)
    if found is None:
        raise ArgumentTypeError("write a number and d, w or y, such as 180d")
    return timedelta(days=int(found[1]) * DAYS[found[2]])


def kinds(text: str) -> tuple[Kind, ...]:
    """Return what a list with commas names."""
    try:
        return tuple(Kind(each) for each in text.split(","))
    except ValueError as exc:
        raise ArgumentTypeError(f"choose from {','.join(Kind)}") from exc
