"""An entry on its way to a site until all of it is there, however often the line breaks.

Where the site has a store that participants reach, the entry goes there in parts, else to the site in pieces. Which
upload belongs to which file is kept beside the logins, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID

from scoring.cli.answers import Passing
from scoring.cli.in_parts import InParts
from scoring.cli.in_pieces import InPieces
from scoring.cli.parcel import Parcel, Site

FAILURES: Final = 10
"""In a row, without a byte that has arrived, after which the upload is given up."""
SLOWEST_S: Final = 60.0


def send(
    site: Site,
    *,
    track: str,
    entry: Path,
    sha256: str,
    into_the_store: bool,
    note: Callable[[int], None],
    pause: Callable[[float], None],
) -> UUID:
    """Return the submission that the entry became; raises Refused, or Unreachable once nothing arrives any more."""
    parcel = Parcel(site=site, track=track, entry=entry, sha256=sha256, note=note)
    sending = InParts(parcel) if into_the_store else InPieces(parcel)
    failures, furthest = 0, -1
    while True:
        try:
            standing = sending.go_on()
        except Passing as passing:
            failures += 1
            if failures > FAILURES:
                raise
            pause(min(passing.wait_s or 2.0 ** (failures - 1), SLOWEST_S))
            continue
        if standing.submission:
            sending.forget()
            return standing.submission
        if standing.offset > furthest:
            failures, furthest = 0, standing.offset
