"""Everything that rows, files, boards and the queue can disagree about, found one by one, with its repair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import StringIO

from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db.models import Exists, OuterRef

from competition.storage import stored_files
from competition.submissions import lifecycle, resuming
from competition.submissions.models import Evaluation, PartialUpload, Submission
from competition.submissions.rescoring import left_out, rescore_track
from competition.tracks.models import Dataset, Picture, Track
from competition.upkeep.orphans import orphans
from scoring.contracts import Status


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """Two that should say the same and do not; `repair` makes them, where that is possible without a backup."""

    kind: str
    subject: str
    detail: str
    repair: Callable[[], object] | None = None


def disagreements(now: datetime) -> Iterator[Disagreement]:
    """Find all of them; whoever repairs one does so before asking for the next."""
    yield from _files_without_row(now)
    yield from _files_of_entries()
    yield from _files_of_datasets()
    yield from _files_of_pictures()
    yield from _partial_uploads(now)
    yield from _left_out(now)
    yield from _quarantined_at_work(now)
    yield from _derived()


def _files_without_row(now: datetime) -> Iterator[Disagreement]:
    for file in orphans(now):
        yield Disagreement(
            kind="file_without_row",
            subject=file.name,
            detail=f"{file.size:,} bytes, stored {file.modified_at:%Y-%m-%d %H:%M} UTC",
            repair=partial(default_storage.delete, file.name),
        )


def _files_of_entries() -> Iterator[Disagreement]:
    files = {file.name: file.size for file in stored_files("entries")}
    rows = Submission.objects.exclude(entry="").order_by("pk").values_list("pk", "entry", "entry_bytes")
    for pk, name, size in rows.iterator():
        yield from _compare(f"submission {pk}", name, size, files)


def _files_of_datasets() -> Iterator[Disagreement]:
    files = {file.name: file.size for file in stored_files("datasets")}
    rows = Dataset.objects.order_by("pk").values_list("pk", "archive", "archive_bytes")
    for pk, name, size in rows:
        # Rows of an early release did not note the size.
        yield from _compare(f"dataset {pk}", name, size or files.get(name, 0), files)


def _files_of_pictures() -> Iterator[Disagreement]:
    files = {file.name: file.size for file in stored_files("pictures")}
    for pk, *names in Picture.objects.order_by("pk").values_list("pk", "file", "small"):
        for name in names:
            yield from _compare(f"picture {pk}", name, files.get(name, 0), files)


def _compare(subject: str, name: str, size: int, files: dict[str, int]) -> Iterator[Disagreement]:
    found = files.get(name)
    # What was stored after the list was made is not on it.
    if found is None and not default_storage.exists(name):
        yield Disagreement(kind="row_without_file", subject=subject, detail=f"{name} is not in the store")
    elif found is not None and found != size:
        detail = f"{name} has {found:,} bytes, not {size:,}"
        yield Disagreement(kind="wrong_size", subject=subject, detail=detail)


def _partial_uploads(now: datetime) -> Iterator[Disagreement]:
    """Find what is wrong with uploads that come in pieces; their files lie on this machine."""
    for upload in PartialUpload.objects.filter(submission=None):
        if upload.expires_at < now:
            detail = f"left alone since {upload.expires_at:%Y-%m-%d %H:%M} UTC"
            yield _to_be_ended("upload_expired", upload, detail)
        elif not upload.multipart_id and not resuming.has_file(upload.pk):
            yield _to_be_ended("upload_without_file", upload, "what was sent is not in the upload folder")
    for upload_id in resuming.without_row():
        yield Disagreement(
            kind="upload_without_row",
            subject=f"upload {upload_id}",
            detail="a file in the upload folder that no row names",
            repair=partial(resuming.remove_file, upload_id),
        )


def _to_be_ended(kind: str, upload: PartialUpload, detail: str) -> Disagreement:
    return Disagreement(
        kind=kind, subject=f"upload {upload.pk}", detail=detail, repair=partial(resuming.end, upload)
    )


def _left_out(now: datetime) -> Iterator[Disagreement]:
    for track in Track.objects.filter(benchmark__isnull=False):
        late = left_out(track).count()
        if late:
            yield Disagreement(
                kind="not_evaluated",
                subject=f"track {track.slug}",
                detail=f"{late:,} submissions have no evaluation on the current benchmark version",
                repair=partial(rescore_track, track=track, now=now),
            )


def _quarantined_at_work(now: datetime) -> Iterator[Disagreement]:
    at_work = Evaluation.objects.filter(submission=OuterRef("pk"), status=Status.RUNNING)
    for submission in Submission.objects.filter(Exists(at_work), quarantine__isnull=False):
        yield Disagreement(
            kind="quarantined_at_work",
            subject=f"submission {submission.pk}",
            detail="a worker evaluates it although it is in quarantine",
            repair=partial(lifecycle.enforce_quarantine, submission, now=now),
        )


def _derived() -> Iterable[Disagreement]:
    """Let the commands that can rebuild what is derived from other rows prove it."""
    yield from _proved("standings", "boards", by="rebuild_standings", of="the scores")
    yield from _proved("queue", "the order of the queue", by="rebuild_queue", of="the evaluations")


def _proved(kind: str, subject: str, *, by: str, of: str) -> Iterable[Disagreement]:
    try:
        call_command(by, check=True, stdout=StringIO())
    except CommandError:
        yield Disagreement(
            kind=kind,
            subject=subject,
            detail=f"not what {of} say; `manage.py {by} --check` tells more",
            repair=partial(call_command, by, stdout=StringIO()),
        )
