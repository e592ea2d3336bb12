"""`manage.py rebuild_standings [TRACK …] [--check]`: make standings, boards and counts what the scores say."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from competition.leaderboard import proof, standings
from competition.leaderboard.standings import Drift
from competition.submissions import counts
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import Split


class Command(BaseCommand):
    help = (
        "Compute standings, ranks and counts anew from scores and submissions, "
        "tell every difference to what is kept, and repair it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tracks", nargs="*", metavar="TRACK", help="Slugs; all tracks if none is given.")
        parser.add_argument(
            "--check", action="store_true", help="Change nothing, and fail if anything differs."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tracks = Track.objects.order_by("slug")
        if options["tracks"]:
            tracks = tracks.filter(slug__in=options["tracks"])
            unknown = set(options["tracks"]) - {track.slug for track in tracks}
            if unknown:
                raise CommandError(f"There is no track {', '.join(sorted(unknown))}")
        differ = False
        for track in tracks:
            for name, words, wrong in _compared(track, repair=not options["check"]):
                self.stdout.write(f"{name}: {words}")
                differ |= wrong
        if options["check"] and differ:
            raise CommandError("What is kept differs. Run without --check to repair it.")


def _compared(track: Track, *, repair: bool) -> Iterator[tuple[str, str, bool]]:
    """Yield what was compared, the differences in words, and whether there are any."""
    for version in BenchmarkVersion.objects.filter(track=track).select_related("track").order_by("number"):
        drift = standings.rebuild(version) if repair else standings.examine(version)
        prove = proof.repair if repair else proof.examine
        rows = sum(prove(version, split) for split in Split)
        yield f"{version}", _in_words(drift, rows), bool(drift or rows)
    wrong = counts.rebuild(track) if repair else counts.examine(track)
    yield f"{track.slug}", f"{wrong} counts wrong", bool(wrong)


def _in_words(drift: Drift, rows: int) -> str:
    standings = f"{drift.missing} missing, {drift.wrong} wrong, {drift.surplus} surplus"
    return f"{standings}; {rows} of its boards' rows differ"
