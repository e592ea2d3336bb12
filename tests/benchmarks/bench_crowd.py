"""200 uploads at once to a real site: gunicorn as documented, PostgreSQL, small files and files of 50 MB.

Everybody uploads by the API and comes again when the answer is to come again. Disk for 10 GB is needed.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.benchmarks.figures import Figure
from tests.benchmarks.million import Size, database, fill
from tests.benchmarks.timing import below, processor_s_of, say

UNIT: Final = Path(__file__).parents[2] / "docs" / "deploy" / "systemd" / "podium-site.service"
UPLOADS: Final = 200
WARM_BYTES: Final = 5_000
SIZES: Final = {"10 kB": 10_000, "50 MB": 50_000_000}
CHUNK: Final = bytes(2**20)
BOUNDARY: Final = "podium"
HEAD: Final = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="entry"; filename="entry.zip"\r\n\r\n'.encode()
)
TAIL: Final = f"\r\n--{BOUNDARY}--\r\n".encode()
PATIENCE_S: Final = 900.0
MOST_GROWTH_MB: Final = 40.0


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """What came of all uploads: answers by status, and the site's processor time and memory."""

    statuses: Counter[int]
    processor_s: float
    peak_mb: float


def bench() -> Iterator[Figure]:
    """Yield how many uploads failed, and how much the site's processes grew."""
    with database(f"podium_bench_crowd_{os.getpid()}"), tempfile.TemporaryDirectory() as home:
        fill(Size(submissions=UPLOADS * 10, queued=0, participants=UPLOADS, tracks=2))
        tokens = _tokens()
        with _site(Path(home)) as (port, site):
            _all(port, site, tokens[:20], size=WARM_BYTES, track="large-1")  # what is made once
            before_mb = _peak_mb(site)
            for name, size in SIZES.items():
                say(f"{UPLOADS} uploads of {name}")
                found = _all(port, site, tokens, size=size, track="large-0")
                failed = sum(
                    number for status, number in found.statuses.items() if status != http.client.CREATED
                )
                told = ", ".join(f"{number} x {status}" for status, number in sorted(found.statuses.items()))
                yield Figure(
                    name=f"of {UPLOADS} uploads of {name} at once, failed",
                    value=failed,
                    unit="",
                    at_most=0,
                    note=f"{told}; {1000 * found.processor_s / UPLOADS:.0f} ms of the site's processor time each",
                )
                yield Figure(
                    name=f"what a process of the site grew by while it took {UPLOADS} uploads of {name}",
                    value=found.peak_mb - before_mb,
                    unit="MB",
                    at_most=MOST_GROWTH_MB,
                    note=f"at its largest {found.peak_mb:.0f} MB",
                )


def _tokens() -> list[str]:
    """Return an access token of each participant, whose quota is large enough."""
    from django.contrib.auth.models import User

    from competition.accounts.tokens import make_token
    from competition.tracks.models import Track

    Track.objects.update(quota_submissions=1_000)
    people = User.objects.filter(username__startswith="participant").order_by("pk")[:UPLOADS]
    return [make_token(owner=person, name="bench") for person in people]


@contextmanager
def _site(home: Path) -> Iterator[tuple[int, int]]:
    """Start the site as its unit does; yield its port and its first process."""
    words = shlex.split(re.findall(r"^ExecStart=(.+)$", UNIT.read_text("utf-8"), re.MULTILINE)[0])
    bind = words.index("--bind")
    given = [*words[1:bind], "--bind", "127.0.0.1:0", *words[bind + 2 :]]
    log = home / "site.log"
    environment = {**os.environ, "PODIUM_HOME": str(home), "DATABASE_STATEMENT_TIMEOUT_S": "30"}
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *given], env=environment, stdout=out, stderr=out
        ) as site,
    ):
        try:
            yield _port(log), site.pid
        finally:
            site.terminate()


def _port(log: Path) -> int:
    until = time.monotonic() + PATIENCE_S
    while not (found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", log.read_text("utf-8"))):
        if time.monotonic() > until:
            raise RuntimeError("the site did not start")
        time.sleep(0.1)
    return int(found[1])


def _all(port: int, site: int, tokens: list[str], *, size: int, track: str) -> Uploads:
    """Let everybody upload at once."""
    before_s = _processor_s(site)
    with ThreadPoolExecutor(max_workers=len(tokens)) as everybody:
        answers = everybody.map(partial(_upload, port, size=size, track=track), tokens)
        statuses = Counter(answers)
    return Uploads(statuses=statuses, processor_s=_processor_s(site) - before_s, peak_mb=_peak_mb(site))


def _upload(port: int, token: str, *, size: int, track: str) -> int:
    """Upload, again as long as the answer is to come again; return the last status."""
    until = time.monotonic() + PATIENCE_S
    while True:
        status, wait_s = _send(port, token, size=size, track=track)
        if status not in {429, 503} or time.monotonic() + wait_s > until:
            return status
        time.sleep(wait_s)


def _send(port: int, token: str, *, size: int, track: str) -> tuple[int, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {
        "Authorization": f"Token {token}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(HEAD) + size + len(TAIL)),
    }
    try:
        connection.request("POST", f"/api/tracks/{track}/submissions/", body=_body(size), headers=headers)
        answer = connection.getresponse()
        json.loads(answer.read())
        return answer.status, float(answer.headers.get("Retry-After", 1))
    finally:
        connection.close()


def _body(size: int) -> Iterator[bytes]:
    yield HEAD
    for start in range(0, size, len(CHUNK)):
        yield CHUNK[: size - start]
    yield TAIL


def _processor_s(site: int) -> float:
    return sum(map(processor_s_of, (site, *below(site))))


def _peak_mb(site: int) -> float:
    """Return the most memory that one of its processes held so far."""
    told = (Path(f"/proc/{process}/status").read_text() for process in below(site))
    return max((int(re.findall(r"VmHWM:\s*(\d+)", each)[0]) / 1000 for each in told), default=0.0)
