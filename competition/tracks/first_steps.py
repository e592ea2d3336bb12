"""How somebody starts on a track: the commands to type, and the model.py of its starter kit."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.urls import reverse

from scoring.contracts import FORMAT_FACTS, TrackSpec


@dataclass(frozen=True, kw_only=True)
class FirstSteps:
    """Commands with the site's own addresses, in groups: install, fetch, try, upload; DATA is what a kit lacks."""

    needs_data: bool
    install: tuple[str, ...]
    fetch: tuple[str, ...]
    attempt: tuple[str, ...]
    upload: tuple[str, ...]


def first_steps(spec: TrackSpec, kit: Path | None, *, server: str, wheel: str) -> FirstSteps:
    """Return the commands for the track's first format; without a kit the entry's folder is one's own."""
    slug, track = spec.slug, f"{spec.slug}.yaml"
    site = server.rstrip("/")
    entry = f"{slug}/entry" if kit else "entry"
    has_data = kit is not None and (kit / "sample-data").is_dir()
    data = f"{slug}/sample-data" if has_data else "DATA"
    fetch = [f"curl -fo {track} {site}{reverse('track-yaml', args=[slug])}"]
    if kit:
        archive = f"{slug}-starter-kit.zip"
        fetch += [
            f"curl -fo {archive} {site}{reverse('starter-kit', args=[slug])}",
            f"unzip {archive} -d {slug}",
        ]
    packed = f"entry{FORMAT_FACTS[spec.formats[0]].packed_as}"
    return FirstSteps(
        needs_data=not has_data,
        install=(f'pip install "podium[check] @ {site}{wheel}" --constraint {site}{reverse("environment")}',),
        fetch=tuple(fetch),
        attempt=(
            f"podium check {entry} --track {track}",
            f"podium score {entry} --track {track} --data {data}",
        ),
        upload=(
            f"podium pack {entry} -o {packed}",
            f"podium login --server {site}",
            f"podium submit {packed} --track {slug}",
        ),
    )


def example_of(kit: Path | None) -> str:
    """Return the model.py of a kit's entry, or nothing where the kit has none."""
    file = kit / "entry" / "model.py" if kit else None
    return file.read_text("utf-8") if file and file.is_file() else ""
