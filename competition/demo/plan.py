"""The parts of the demonstration's preparation, and which of them wait for which."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from competition.demo.parts import Part
from competition.demo.serve import DATABASE, management, site_parts
from competition.demo.uploads import BASELINES, FIRST_TRACKS, MORE_TRACKS, Upload
from scoring.data.labels import LABELS_FILE

COMPETITION: Final = "cvpr2022-demo"
COMPETITION_NAME: Final = "Demonstration on generated data"
ORGANISER: Final = "organiser"

ACCOUNT: Final = "organiser's account"
# Whoever looks at the site, and the scoring of what is trained already, goes before training.
GIVING_WAY: Final = ("nice", "-n", "5")


def preparation(home: Path, *, full: bool, new_password: str | None) -> Iterator[Part]:
    """Yield what has to be done before all entries can be uploaded, but not what was done before.

    With a new password there is an account to make for the organiser.
    """
    yield from site_parts()
    for upload in BASELINES:
        if not (home / "entries" / upload.file).exists():
            yield _training(home, upload)
    yield from _tracks(home, FIRST_TRACKS)
    if new_password:
        yield _account(new_password)
    if full:
        yield from _tracks(home, MORE_TRACKS)


def needed_by(upload: Upload) -> tuple[str, ...]:
    """Return the names of the parts that an upload waits for."""
    tracks = FIRST_TRACKS if upload.track in FIRST_TRACKS else MORE_TRACKS
    return (_opening(tracks), *([_baseline(upload)] if upload in BASELINES else []))


def _training(home: Path, upload: Upload) -> Part:
    return Part(
        name=_baseline(upload),
        command=(
            *GIVING_WAY,
            sys.executable,
            "-m",
            "competition.demo.train",
            str(home / "entries" / upload.file),
        ),
    )


def _tracks(home: Path, tracks: Sequence[str]) -> Iterator[Part]:
    """Yield the making of hidden data, where it is missing, and the opening of the tracks with it."""
    data = home / "hidden"
    if not all((data / track / LABELS_FILE).exists() for track in tracks):
        yield Part(
            name=_hidden(tracks),
            command=(sys.executable, "-m", "competition.demo.hidden", str(data), *tracks),
        )
    arguments = ["--competition", COMPETITION, "--name", COMPETITION_NAME, "--data", str(data), "--open"]
    # One after the other: each finds the competition that the first has made.
    before = () if tracks == FIRST_TRACKS else (_opening(FIRST_TRACKS),)
    yield Part(
        name=_opening(tracks),
        command=management("sync_tracks", *tracks, *arguments),
        after=(DATABASE, _hidden(tracks), *before),
        environment={"PODIUM_IMPORT_ROOT": str(home)},
    )


def _account(password: str) -> Part:
    mail = f"{ORGANISER}@example.org"
    return Part(
        name=ACCOUNT,
        command=management(
            "createsuperuser", "--noinput", "--verbosity", "0", "--username", ORGANISER, "--email", mail
        ),
        after=(DATABASE,),
        environment={"DJANGO_SUPERUSER_PASSWORD": password},
    )


def _baseline(upload: Upload) -> str:
    return f"training {upload.file}"


def _hidden(tracks: Sequence[str]) -> str:
    return f"hidden data of {len(tracks)} tracks"


def _opening(tracks: Sequence[str]) -> str:
    return f"opening {len(tracks)} tracks"
