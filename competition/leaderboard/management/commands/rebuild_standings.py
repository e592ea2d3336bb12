"""`manage.py rebuild_standings [TRACK …] [--check]`: make standings what the scores say."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competition.leaderboard import standings
from competition.tracks.models import BenchmarkVersion


class Command(BaseCommand):
    help = "Rebuild the standings of every benchmark version from its scores."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tracks", nargs="*", metavar="TRACK", help="Slugs; all tracks if none is given.")
        parser.add_argument(
            "--check", action="store_true", help="Change nothing, and fail if anything differs."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        versions = BenchmarkVersion.objects.select_related("track").order_by("track__slug", "number")
        if options["tracks"]:
            versions = versions.filter(track__slug__in=options["tracks"])
            unknown = set(options["tracks"]) - {version.track.slug for version in versions}
            if unknown:
                raise CommandError(f"No benchmark version for: {', '.join(sorted(unknown))}")
        act = standings.examine if options["check"] else standings.rebuild
        drifts = {str(version): act(version) for version in versions}
        for name, drift in drifts.items():
            self.stdout.write(
                f"{name}: {drift.missing} missing, {drift.wrong} wrong, {drift.surplus} surplus"
            )
        if options["check"] and any(drifts.values()):
            raise CommandError("Standings differ from the scores. Run without --check to repair them.")
