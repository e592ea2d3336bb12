"""Datasets: imported once as one zip in storage, unpacked once on each machine that scores.

Storage is any that Django knows; only its API is used, so files may lie in a local folder or in a
bucket.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, cast

from django.conf import settings
from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from competition.audit.models import Act
from competition.audit.recording import Actor, record
from competition.storage import fetch
from competition.tracks import bundles
from competition.tracks.models import Competition, Dataset
from scoring.cache.build import lock_of
from scoring.cache.holds import hold
from scoring.cache.locks import exclusive
from scoring.contracts import Reader, Split
from scoring.data.dataset import check_contents, count_labels, guess_reader, readers_for
from scoring.data.labels import DatasetProblem, LabelRow, LabelTable, raise_findings, read_labels
from scoring.errors import Fault
from scoring.files.workdirs import workdir


def import_dataset(
    *,
    name: str,
    archive: File[bytes],
    competition: Competition | None = None,
    reader: Reader | None = None,
    warn: Callable[[str], None] = lambda _: None,
    by: Actor = None,
) -> Dataset:
    """Import a zip of labels.csv and the files it names; raise `DatasetProblem` with every finding.

    The files must be what `reader` reads; without one, all must be of the first one's kind. Within a competition
    equal data give the same dataset, however they were packed; its first name is kept. `warn` is told what
    of the data is left out.
    """
    # The folder of a killed import is removed by the next one.
    with workdir(Path(settings.FILE_UPLOAD_TEMP_DIR) / "imports") as folder:
        found = bundles.unpack(cast(BinaryIO, archive.file), folder, max_bytes=settings.MAX_DATASET_BYTES)
        return import_dataset_folder(
            name=name, folder=found, competition=competition, reader=reader, warn=warn, by=by
        )


def import_dataset_folder(
    *,
    name: str,
    folder: Path,
    competition: Competition | None = None,
    reader: Reader | None = None,
    warn: Callable[[str], None] = lambda _: None,
    by: Actor = None,
) -> Dataset:
    """Import a folder that holds labels.csv and the files it names; see `import_dataset`."""
    table = read_labels(folder)
    check_contents(folder, table, reader or guess_reader(folder, table))
    # Else the archive would be stored, and every worker would miss the file.
    clutter = [name for name in table.named_files() if bundles.is_clutter(name)]
    raise_findings([f"“{name}” has a name that zip files cannot store" for name in clutter])
    with tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR) as archive:
        bundles.pack(folder, table, archive)
        archive_bytes = archive.tell()
        if archive_bytes > settings.MAX_DATASET_BYTES:
            allowed = f"at most {settings.MAX_DATASET_BYTES:,} are allowed"
            raise DatasetProblem((f"the dataset takes {archive_bytes:,} bytes; {allowed}",))
        row = Dataset(
            name=name,
            competition=competition,
            archive_bytes=archive_bytes,
            readers=[reader.value for reader in readers_for(folder, table)],
            **_summary(table),
        )
        stored = _store(row, archive, by)
    for warning in table.warnings:
        warn(warning)
    return stored


def materialise(dataset: Dataset, cache: Path, *, tick: Callable[[], None] = lambda: None) -> Path:
    """Return a folder with the dataset's labels.csv and files, fetched and unpacked once per machine.

    The folder is held (see `scoring.cache.holds`). Safe when several workers ask at once: one unpacks
    under a lock, the others wait. `tick` is called many times a second meanwhile, and what it raises
    ends the work. Raises `Fault` when storage does not give back the archive that was imported.
    """
    identity = dataset.digest.removeprefix("sha256:")
    target = cache / "datasets" / identity
    hold(target, tick=tick)
    if target.is_dir():
        return target
    with exclusive(lock_of(target), tick=tick):
        if not target.is_dir():
            _unpack_into(dataset, target, tick)
    return target


def forget_dataset(dataset: Dataset) -> None:
    """Delete a dataset that nothing uses, and its archive unless another competition's row has it too."""
    with transaction.atomic():
        _record(Act.DATASET_DELETED, dataset, None)
        dataset.delete()
    _drop_archive(dataset)


def _record(act: Act, dataset: Dataset, by: Actor) -> None:
    facts = {"digest": dataset.digest, "samples": dataset.samples}
    record(act, dataset, by=by, competition_id=dataset.competition_id, after=facts)


def _store(row: Dataset, archive: IO[bytes], by: Actor) -> Dataset:
    archive.seek(0)
    identity = hashlib.file_digest(archive, "sha256").hexdigest()  # type: ignore[arg-type]  # a plain file
    row.digest = f"sha256:{identity}"
    alike = Dataset.objects.filter(digest=row.digest)
    known = alike.filter(competition=row.competition).first()
    if known:
        return known
    # The bytes are stored once, whoever has them; a file that was lost is none to share.
    stored = next((name for name in _archives(alike) if row.archive.storage.exists(name)), "")
    if stored:
        row.archive.name = stored
    else:
        archive.seek(0)
        row.archive.save(f"{identity}.zip", File(archive), save=False)
    try:
        with transaction.atomic():
            row.save()
            _record(Act.DATASET_IMPORTED, row, by)
    except IntegrityError:
        # Somebody imported the same data meanwhile; theirs stays and ours is taken back.
        _drop_archive(row)
        return alike.get(competition=row.competition)
    return row


def _archives(datasets: QuerySet[Dataset]) -> QuerySet[Dataset, str]:
    return datasets.order_by("pk").values_list("archive", flat=True).distinct()


def _drop_archive(dataset: Dataset) -> None:
    name = str(dataset.archive.name)
    if not Dataset.objects.filter(archive=name).exists():
        dataset.archive.storage.delete(name)


def _summary(table: LabelTable) -> dict[str, object]:
    private = [row for row in table.rows if row.private]
    public = [row for row in table.rows if not row.private]
    labels = count_labels(table, table.rows)
    # A category without a box is a class all the same.
    highest = max(len(table.classes) - 1, max(labels, default=0))
    return {
        "truth": table.truth.value,
        "samples": len(table.rows),
        "private_samples": len(private),
        "highest_label": highest,
        "label_counts": {
            Split.PUBLIC.value: _counts(table, public),
            Split.PRIVATE.value: _counts(table, private),
        },
    }


def _counts(table: LabelTable, rows: list[LabelRow]) -> dict[str, int]:
    return {str(label): count for label, count in count_labels(table, rows).items()}


def _unpack_into(dataset: Dataset, target: Path, tick: Callable[[], None]) -> None:
    # Only the holder of the lock writes here, so what lies about was left by a killed worker.
    for leftover in target.parent.glob(f".{target.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    workdir = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        unpacked = workdir / "dataset"
        unpacked.mkdir()
        fetch(
            dataset.archive,
            workdir / "archive.zip",
            sha256=target.name,
            what=f"dataset {dataset.pk}",
            tick=tick,
        )
        with (workdir / "archive.zip").open("rb") as archive:
            bundles.unpack(archive, unpacked, max_bytes=settings.MAX_DATASET_BYTES, tick=tick)
        os.sync()  # the rename must not outlive, in a power cut, the bytes that it promises
        unpacked.rename(target)
    except DatasetProblem as exc:
        raise Fault(f"dataset {dataset.pk} cannot be unpacked: {exc}") from exc
    finally:
        shutil.rmtree(workdir, ignore_errors=True)
