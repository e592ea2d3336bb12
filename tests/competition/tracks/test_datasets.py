"""Imports, and unpacking on a machine that scores."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import shutil
import stat
import zipfile
from pathlib import Path

import pytest
from django.core.files import File
from django.core.files.base import ContentFile

from competition.tracks import datasets
from competition.tracks.models import Competition, Dataset
from scoring.contracts import Reader, Split
from scoring.data.labels import DatasetProblem, read_labels
from scoring.errors import Fault

pytestmark = pytest.mark.django_db


def zipped(folder: Path, *, prefix: str = "") -> File:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*"), reverse=True):
            archive.write(path, prefix + path.relative_to(folder).as_posix())
    return ContentFile(content.getvalue(), name="hidden.zip")


def with_member(folder: Path, member: zipfile.ZipInfo | str) -> File:
    content = io.BytesIO(zipped(folder).read())
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr(member, b"extra")
    return ContentFile(content.getvalue(), name="hidden.zip")


def test_import_counts_samples_labels_and_splits(folder: Path) -> None:
    dataset = datasets.import_dataset_folder(name="hidden", folder=folder)

    assert (dataset.samples, dataset.private_samples, dataset.highest_label) == (4, 2, 99)
    assert dataset.labels(Split.PUBLIC) == {0: 1, 1: 1}
    assert dataset.labels(Split.PRIVATE) == {1: 1, 99: 1}


def test_digest_is_the_sha256_of_the_stored_bytes(folder: Path) -> None:
    dataset = datasets.import_dataset_folder(name="hidden", folder=folder)

    with dataset.archive.open() as stream:
        stored = stream.read()
    assert dataset.digest == "sha256:" + hashlib.sha256(stored).hexdigest()
    assert dataset.archive_bytes == len(stored)


def test_each_competition_has_a_row_of_its_own_and_the_bytes_are_stored_once(
    folder: Path, competition: Competition
) -> None:
    unowned = datasets.import_dataset_folder(name="hidden", folder=folder)
    first = datasets.import_dataset_folder(name="mine", folder=folder, competition=competition)
    again = datasets.import_dataset(name="again", archive=zipped(folder), competition=competition)

    assert (first == again, first == unowned, first.name) == (True, False, "mine")
    assert first.archive.name == unowned.archive.name


def test_an_archive_that_storage_lost_is_stored_again_for_another_competition(
    folder: Path, competition: Competition
) -> None:
    lost = datasets.import_dataset_folder(name="hidden", folder=folder)
    lost.archive.storage.delete(lost.archive.name)

    kept = datasets.import_dataset_folder(name="mine", folder=folder, competition=competition)

    assert kept.archive.storage.exists(kept.archive.name)


def test_forgetting_a_dataset_keeps_the_archive_while_another_row_has_it(
    folder: Path, competition: Competition
) -> None:
    first = datasets.import_dataset_folder(name="hidden", folder=folder)
    second = datasets.import_dataset_folder(name="mine", folder=folder, competition=competition)
    storage, archive = first.archive.storage, first.archive.name

    datasets.forget_dataset(first)
    kept = storage.exists(archive)
    datasets.forget_dataset(second)

    assert (kept, storage.exists(archive)) == (True, False)


def test_the_readers_that_suit_every_file_are_remembered(folder: Path) -> None:
    assert datasets.import_dataset_folder(name="hidden", folder=folder).readers == ["image"]


def test_clips_are_imported_for_a_reader_of_video_or_of_sound(folder: Path) -> None:
    for row in read_labels(folder).rows:
        (folder / row.file).write_bytes(b"\0\0\0\x20ftypisom" + row.file.encode())

    dataset = datasets.import_dataset_folder(name="clips", folder=folder, reader=Reader.AUDIO)

    assert dataset.readers == ["video", "audio"]
    assert datasets.import_dataset(name="clips", archive=zipped(folder)) == dataset


def test_files_that_the_tracks_reader_cannot_read_are_found(folder: Path) -> None:
    with pytest.raises(DatasetProblem, match=r"row 1: .* is not a valid WAV"):
        datasets.import_dataset(name="hidden", archive=zipped(folder), reader=Reader.AUDIO)


def test_zip_folder_and_wrapped_zip_of_equal_data_are_one_dataset(folder: Path) -> None:
    from_folder = datasets.import_dataset_folder(name="folder", folder=folder)
    from_zip = datasets.import_dataset(name="zip", archive=zipped(folder))
    from_wrapped = datasets.import_dataset(name="wrapped", archive=zipped(folder, prefix="hidden/"))

    assert from_folder == from_zip == from_wrapped
    assert Dataset.objects.get().name == "folder"


def test_files_that_labels_csv_does_not_name_are_left_out(folder: Path) -> None:
    (folder / "notes.txt").write_text("for us only")

    dataset = datasets.import_dataset(name="hidden", archive=zipped(folder))

    with dataset.archive.open() as stream, zipfile.ZipFile(stream) as archive:
        assert "notes.txt" not in archive.namelist()


def test_other_labels_make_another_dataset(make_folder) -> None:
    first = make_folder((0, "public"), (1, "public"), name="first")
    second = make_folder((1, "public"), (0, "public"), name="second")

    assert datasets.import_dataset_folder(name="a", folder=first) != datasets.import_dataset_folder(
        name="b", folder=second
    )


def test_macos_clutter_is_ignored(folder: Path) -> None:
    dataset = datasets.import_dataset(name="hidden", archive=with_member(folder, "__MACOSX/._labels.csv"))

    assert dataset.samples == 4


def test_names_that_macos_wrote_without_saying_that_they_are_utf8_are_read(folder: Path) -> None:
    named = "images/cafe\u0301.png"
    picture = next(path for path in sorted((folder / "images").iterdir()) if path.is_file())
    table = (folder / "labels.csv").read_text().replace(f"images/{picture.name}", "images/caf\u00e9.png")
    (folder / "labels.csv").write_text(table)
    picture.rename(folder / named)
    raw = bytearray(zipped(folder).read())
    for magic, flags_at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := raw.find(magic, at + 1)) >= 0:
            raw[at + flags_at + 1] &= ~0x08

    dataset = datasets.import_dataset(name="hidden", archive=ContentFile(bytes(raw), name="hidden.zip"))

    assert dataset.samples == 4


def test_data_under_a_name_that_unpacking_passes_over_are_refused(folder: Path) -> None:
    (folder / "images").rename(folder / "__MACOSX")
    table = folder / "labels.csv"
    table.write_text(table.read_text().replace("images/", "__MACOSX/"))

    with pytest.raises(DatasetProblem, match="cannot store"):
        datasets.import_dataset_folder(name="hidden", folder=folder)


def test_every_missing_file_is_named(folder: Path) -> None:
    (folder / "images/000.png").unlink()
    (folder / "images/003.png").unlink()

    with pytest.raises(DatasetProblem) as caught:
        datasets.import_dataset(name="hidden", archive=zipped(folder))

    assert [finding for finding in caught.value.findings if "images/000.png" in finding]
    assert [finding for finding in caught.value.findings if "images/003.png" in finding]
    assert not Dataset.objects.exists()


def test_a_text_file_named_as_an_image_is_found(folder: Path) -> None:
    (folder / "images/001.png").write_text("no picture at all")

    with pytest.raises(DatasetProblem, match=r"images/001\.png"):
        datasets.import_dataset_folder(name="hidden", folder=folder)


def test_zip_without_labels_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("images/000.png", b"x")

    with pytest.raises(DatasetProblem, match=r"labels\.csv is missing"):
        datasets.import_dataset(name="hidden", archive=ContentFile(content.getvalue(), name="a.zip"))


def test_what_is_no_zip_is_refused() -> None:
    with pytest.raises(DatasetProblem, match="cannot be read"):
        datasets.import_dataset(name="hidden", archive=ContentFile(b"no zip at all", name="a.zip"))


@pytest.mark.parametrize(
    "name", ["../evil.png", "/etc/evil.png", "a/../../evil.png", "a\\evil.png", "c:evil.png", "a//b"]
)
def test_unsafe_names_are_refused(folder: Path, name: str) -> None:
    with pytest.raises(DatasetProblem):
        datasets.import_dataset(name="hidden", archive=with_member(folder, name))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(folder: Path, kind: int) -> None:
    member = zipfile.ZipInfo("images/link.png")
    member.external_attr = (kind | 0o777) << 16

    with pytest.raises(DatasetProblem, match="link or a special file"):
        datasets.import_dataset(name="hidden", archive=with_member(folder, member))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(folder: Path) -> None:
    with pytest.raises(DatasetProblem, match="2 times"):
        datasets.import_dataset(name="hidden", archive=with_member(folder, "labels.csv"))


def test_a_file_that_is_also_a_folder_is_refused(folder: Path) -> None:
    with pytest.raises(DatasetProblem, match="cannot be unpacked"):
        datasets.import_dataset(name="hidden", archive=with_member(folder, "images/000.png/inside.png"))


def test_size_counts_what_is_unpacked_not_what_is_declared(folder: Path, settings) -> None:
    (folder / "images/000.png").write_bytes((folder / "images/000.png").read_bytes() + bytes(200_000))
    settings.MAX_DATASET_BYTES = 100_000

    with pytest.raises(DatasetProblem, match="more than 100,000 bytes"):
        datasets.import_dataset(name="hidden", archive=zipped(folder))


def test_damaged_member_is_refused(folder: Path) -> None:
    with zipfile.ZipFile(zipped(folder)) as archive:
        start = archive.getinfo("labels.csv").header_offset
    content = bytearray(zipped(folder).read())
    content[start + 45] ^= 0xFF

    with pytest.raises(DatasetProblem, match="cannot be read"):
        datasets.import_dataset(name="hidden", archive=ContentFile(bytes(content), name="a.zip"))


def test_materialise_gives_back_the_data(dataset: Dataset, folder: Path, tmp_path: Path) -> None:
    found = datasets.materialise(dataset, tmp_path / "cache")

    rows = read_labels(found).rows
    assert [(row.label, row.private) for row in rows] == [(0, False), (1, False), (1, True), (99, True)]
    assert all((found / row.file).read_bytes() == (folder / row.file).read_bytes() for row in rows)


def test_storage_that_has_no_local_paths_will_do(folder: Path, tmp_path: Path, settings) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "tests.competition.tracks.bucket.Bucket"},
    }
    dataset = datasets.import_dataset_folder(name="hidden", folder=folder)

    found = datasets.materialise(dataset, tmp_path / "cache")

    assert len(read_labels(found).rows) == 4


def test_materialise_unpacks_once(dataset: Dataset, tmp_path: Path) -> None:
    first = datasets.materialise(dataset, tmp_path / "cache")
    dataset.archive.storage.delete(dataset.archive.name)

    assert datasets.materialise(dataset, tmp_path / "cache") == first


def test_materialise_clears_what_a_killed_worker_left(dataset: Dataset, tmp_path: Path) -> None:
    identity = dataset.digest.removeprefix("sha256:")
    leftover = tmp_path / "cache/datasets" / f".{identity}-killed"
    (leftover / "dataset").mkdir(parents=True)

    datasets.materialise(dataset, tmp_path / "cache")

    assert sorted(path.name for path in (tmp_path / "cache/datasets").iterdir()) == [
        identity,
        f"{identity}.lock",
        f"{identity}.used",
    ]


def test_materialise_faults_when_storage_lost_the_archive(dataset: Dataset, tmp_path: Path) -> None:
    dataset.archive.storage.delete(dataset.archive.name)

    with pytest.raises(Fault):
        datasets.materialise(dataset, tmp_path / "cache")


def test_materialise_faults_when_storage_changed_the_archive(dataset: Dataset, tmp_path: Path) -> None:
    stored = Path(dataset.archive.path)
    stored.write_bytes(stored.read_bytes() + b"x")

    with pytest.raises(Fault):
        datasets.materialise(dataset, tmp_path / "cache")

    assert not (tmp_path / "cache/datasets" / dataset.digest.removeprefix("sha256:")).exists()


def test_what_tick_raises_ends_the_work_and_leaves_nothing(dataset: Dataset, tmp_path: Path) -> None:
    class LeaseLost(Exception):
        pass

    def tick() -> None:
        raise LeaseLost

    with pytest.raises(LeaseLost):
        datasets.materialise(dataset, tmp_path / "cache", tick=tick)

    assert {path.suffix for path in (tmp_path / "cache/datasets").iterdir()} == {".lock", ".used"}


def _materialise(digest: str, media: Path, cache: Path, results: multiprocessing.Queue) -> None:
    from django.conf import settings

    settings.MEDIA_ROOT = media
    row = Dataset(pk=1, digest=digest, archive=f"datasets/{digest.removeprefix('sha256:')}.zip")
    results.put(str(datasets.materialise(row, cache)))


def test_workers_that_ask_at_once_all_get_the_whole_folder(
    dataset: Dataset, files: Path, tmp_path: Path
) -> None:
    fork = multiprocessing.get_context("fork")
    results = fork.Queue()
    given = (dataset.digest, files, tmp_path / "cache", results)
    workers = [fork.Process(target=_materialise, args=given) for _ in range(4)]
    for worker in workers:
        worker.start()
    found = {results.get(timeout=30) for _ in workers}
    for worker in workers:
        worker.join()

    assert len(found) == 1
    assert len(read_labels(Path(found.pop())).rows) == 4
    shutil.rmtree(tmp_path / "cache")
