"""Puts an attack on through the site: an upload, a real worker, and every page that shows what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from competition.submissions.models import Evaluation, Submission
from competition.tracks.columns import columns_of
from competition.tracks.datasets import import_dataset_folder
from competition.tracks.models import Track
from scoring.tracks import build_track
from scoring.worker.evaluate import Workplace, drain
from scoring.worker.site import SitePorts
from tests.attacks.arena import entry_of, track_document
from tests.attacks.cases import Case
from tests.attacks.making import write_zip
from tests.attacks.surroundings import Surroundings
from tests.examples import new_benchmark
from tests.spares import AheadSandbox

LEASE_S: Final = 600.0
OF_ONE_SUBMISSION: Final = ("submission", "submission-live", "api-submission", "api-report")
OF_ITS_TRACK: Final = ("track", "leaderboard", "leaderboard-csv", "leaderboard-json", "api-leaderboard")
OF_ONESELF: Final = ("home", "my-submissions", "api-submissions", "status")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What a visitor saw at an address."""

    address: str
    status: int
    text: str
    is_page: bool


def make_real(track: Track, case: Case, around: Surroundings) -> None:
    """Make the track that of the case, on the hidden pictures."""
    columns = columns_of(build_track(track_document(case)))
    for name, value in columns.items():
        if name not in {"slug", "is_open"}:
            setattr(track, name, value)
    track.dataset = import_dataset_folder(name="Hidden pictures", folder=around.data)
    new_benchmark(track)


def upload(case: Case, track: Track, client: Client, around: Surroundings, folder: Path) -> Submission:
    """Upload the case's entry by the form of the page, under the name that the case gives it."""
    entry = entry_of(case, around, folder)
    if entry.is_dir():
        files = [path for path in entry.rglob("*") if path.is_file()]
        members = {path.relative_to(entry).as_posix(): path.read_bytes() for path in files}
        entry = write_zip(folder / "entry.zip", members)
    content = SimpleUploadedFile(case.upload_name or entry.name, entry.read_bytes())
    client.post(reverse("submit", args=[track.slug]), {"entry": content})
    return Submission.objects.get()


def work_off(folder: Path) -> str:
    """Let a worker evaluate what waits; return the code of its end, or the status where there is none."""
    sandbox = AheadSandbox(folder / "spares")
    ports = SitePorts(owner="attack", queue="cpu", sandbox=sandbox, cache=folder / "cache")
    drain(ports, Workplace(work_root=folder / "work", lease_s=LEASE_S))
    evaluation = Evaluation.objects.get()
    return evaluation.code or evaluation.status


def visits(submission: Submission, client: Client) -> Iterator[Visit]:
    """Go to every address that could tell of the submission."""
    addresses = [
        *((name, [submission.pk]) for name in OF_ONE_SUBMISSION),
        *((name, [submission.track.slug]) for name in OF_ITS_TRACK),
        *((name, []) for name in OF_ONESELF),
    ]
    for name, words in addresses:
        answer = client.get(reverse(name, args=words))
        body = answer.getvalue().decode()
        yield Visit(
            address=name,
            status=answer.status_code,
            text=f"{answer.headers}\n{answer.cookies}\n{body}",
            is_page=answer.headers.get("Content-Type", "").startswith("text/html"),
        )


def send(request: Mapping[str, Any], client: Client) -> int:
    """Send a request whose body repeats a text; return the status of the answer."""
    body = (str(request["text"]) * request.get("times", 1)).encode("utf-8", "surrogatepass")
    return client.generic("POST", request["path"], body, "application/json").status_code


def client_of(user: User | None) -> Client:
    """Return the browser of a user, or of a stranger; an error of ours is an answer, as it is for them."""
    client = Client(raise_request_exception=False)
    if user:
        client.force_login(user)
    return client
