"""Measures the memory of a site that takes an entry of a gigabyte in pieces, beside that for one of 64 MiB."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from typing import Any, Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.timing import in_child, peak_mb, processor_s

SMALL_BYTES: Final = 64 * 2**20
LARGE_BYTES: Final = 2**30
PIECE_BYTES: Final = 32 * 2**20
BLOCK: Final = bytes(range(256)) * 4096


def bench() -> Iterator[Figure]:
    """Yield how much more memory the larger entry takes, and what a gigabyte costs in processor time."""
    small_mb, _ = _in_home(SMALL_BYTES)
    large_mb, large_s = _in_home(LARGE_BYTES)
    yield Figure(
        name="memory of taking an entry of 1 GiB in pieces, beyond that of 64 MiB",
        value=max(0.0, large_mb - small_mb),
        unit="MB",
        at_most=16,
        note=f"{large_mb:.0f} MB and {small_mb:.0f} MB in all",
    )
    yield Figure(
        name="processor time of taking an entry of 1 GiB in pieces",
        value=large_s,
        unit="s",
    )


def _in_home(entry_bytes: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as home:
        environment = {
            "PODIUM_HOME": home,
            "DATABASE_URL": f"sqlite:///{home}/bench.sqlite3",
            "SECRET_KEY": "bench",
        }
        found: tuple[float, float] = in_child(take, entry_bytes, environment=environment)
        return found


def take(entry_bytes: int) -> tuple[float, float]:
    """Take an entry by the API; return the peak in megabytes, and seconds of processor time."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition.settings")
    import django

    django.setup()
    client, slug = _site()

    def send() -> None:
        told = {"Upload-Length": str(entry_bytes), "Upload-Metadata": "filename bmV0LnppcA=="}
        begun = client.generic("POST", f"/api/tracks/{slug}/uploads/", headers=told)
        for offset in range(0, entry_bytes, PIECE_BYTES):
            answer = client.patch(
                begun.headers["Location"],
                b"-",  # in its place stands the body
                content_type="application/offset+octet-stream",
                headers={"Upload-Offset": str(offset)},
                **{"wsgi.input": _Body(PIECE_BYTES), "CONTENT_LENGTH": str(PIECE_BYTES)},
            )
        if "Podium-Submission" not in answer.headers:
            raise RuntimeError(f"the upload ended with {answer.status_code}: {answer.content[:200]!r}")

    seconds = processor_s(send)
    return peak_mb(), seconds


class _Body(io.RawIOBase):
    """A piece that is nowhere whole."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        """Return bytes as a socket would."""
        chunk = BLOCK[: min(size if size >= 0 else self._left, self._left)]
        self._left -= len(chunk)
        return chunk


def _site() -> tuple[Any, str]:
    """Return a participant's client and the slug of a track that takes large entries."""
    from django.conf import settings
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    from competition.accounts.tokens import make_token
    from competition.tracks.columns import columns_of
    from competition.tracks.models import Competition, Dataset, Track
    from scoring.tracks import load_track
    from tests.examples import new_benchmark, rewrite

    settings.ALLOWED_HOSTS = ["*"]
    call_command("migrate", verbosity=0)
    dataset = Dataset.objects.create(name="None", archive="none.zip", digest="sha256:" + "d" * 64, samples=4)
    columns = columns_of(load_track("cvpr2022-track1"))
    track = Track(
        competition=Competition.objects.create(slug="bench", name="Bench"),
        dataset=dataset,
        **(columns | {"slug": "bench", "name": "Bench"}),
    )
    rewrite(track, archive_limits__max_entry_bytes=5 * 2**30)
    new_benchmark(track)
    track.is_open = True
    track.save()
    token = make_token(owner=User.objects.create_user("ada"), name="bench")
    headers = {"Authorization": f"Token {token}", "Tus-Resumable": "1.0.0"}
    return Client(headers=headers), track.slug
