"""`manage.py` commands of organisers and operators."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from competition.submissions.models import Evaluation, Submission
from competition.tracks import services
from competition.tracks.models import Competition, Dataset, Track

pytestmark = pytest.mark.django_db

PRESET = "cvpr2022-track1"


def run(*arguments: object) -> str:
    """Run a command and return what it printed."""
    out = io.StringIO()
    call_command(*(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


def refused(*arguments: object) -> str:
    """Run a command that must end with exit code 1 and return its findings."""
    err = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(*(str(argument) for argument in arguments), stdout=io.StringIO(), stderr=err)
    assert caught.value.returncode == 1
    return err.getvalue()


def test_sync_creates_and_opens_and_then_changes_nothing(folder: Path) -> None:
    arguments = ("sync_tracks", PRESET, "--competition", "cvpr2022", "--data", folder, "--open")

    first, second = run(*arguments), run(*arguments)

    assert f"track {PRESET}: created" in first
    assert f"track {PRESET}: opened" in first
    assert second == f"track {PRESET}: unchanged\n"
    assert Track.objects.get().is_open
    assert Dataset.objects.count() == 1


def test_sync_names_what_it_updates(track: Track, tmp_path: Path) -> None:
    text = (
        f"slug: {PRESET}\nname: T\nformats: [onnx]\noutput: {{kind: logits, width: 100}}\nmetric: accuracy\n"
    )
    file = tmp_path / "track.yaml"
    file.write_text(text)

    printed = run("sync_tracks", file, "--competition", "cvpr2022")

    assert f"track {PRESET}: updated (name, formats" in printed


def test_sync_prints_every_finding_with_file_and_field(db, tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text(
        "slug: One\nname: One\nformats: []\noutput: {kind: confidence, width: 2}\nmetric: accuracy\n"
    )
    two.write_text(
        "slug: two\nname: Two\nformats: [onnx]\noutput: {kind: logits, width: 9}\nmetric: best_f1\n"
    )

    findings = refused("sync_tracks", one, two, PRESET, "--competition", "cvpr2022")

    for start in (f"{one}: slug: ", f"{one}: formats: ", f"{one}: output: ", f"{two}: track: "):
        assert start in findings
    assert not Competition.objects.exists()
    assert not Track.objects.exists()


def test_sync_changes_nothing_when_one_track_is_not_ready(db, make_folder, files: Path) -> None:
    poor = make_folder((0, "public"), (0, "public"))

    findings = refused("sync_tracks", PRESET, "--competition", "cvpr2022", "--data", poor, "--open")

    assert f"{PRESET}: classes: " in findings
    assert not Track.objects.exists()
    assert not Dataset.objects.exists()
    assert not list((files / "datasets").iterdir())


def test_sync_reports_what_is_wrong_with_the_data(db, folder: Path) -> None:
    (folder / "images/000.png").unlink()

    findings = refused("sync_tracks", PRESET, "--competition", "cvpr2022", "--data", folder)

    assert f"{PRESET}: data: row 1: “images/000.png” is missing" in findings


def test_sync_takes_a_folder_of_data_folders(db, make_folder, tmp_path: Path) -> None:
    make_folder((0, "public"), (5, "public"), name="all/cvpr2022-track1")
    make_folder((0, "public"), (1, "public"), name="all/cvpr2022-track2")

    run("sync_tracks", PRESET, "cvpr2022-track2", "--competition", "c", "--data", tmp_path / "all", "--open")

    assert {track.slug: track.dataset.highest_label for track in Track.objects.all()} == {
        "cvpr2022-track1": 5,
        "cvpr2022-track2": 1,
    }


def test_check_reports_and_changes_nothing(db, folder: Path, files: Path) -> None:
    printed = run("sync_tracks", PRESET, "--competition", "c", "--data", folder, "--open", "--check")

    assert f"track {PRESET}: created" in printed
    assert "nothing was changed" in printed
    assert not Competition.objects.exists()
    assert not Dataset.objects.exists()
    assert not list((files / "datasets").iterdir())


def test_a_missing_file_is_a_finding(db) -> None:
    assert "neither a file nor a preset" in refused("sync_tracks", "nowhere.yaml", "--competition", "c")


def test_import_dataset_gives_it_to_a_track(track: Track, make_folder) -> None:
    other = make_folder((3, "public"), (4, "public"), name="other")

    printed = run("import_dataset", other, "--track", track.slug)

    assert "other: 2 samples, 0 private" in printed
    assert Track.objects.get().dataset.highest_label == 4


def test_import_dataset_goes_to_the_competition_of_its_track(track: Track, make_folder) -> None:
    run("import_dataset", make_folder((5, "public"), (6, "public"), name="o"), "--track", track.slug)

    assert Track.objects.get().dataset.competition == track.competition


def test_import_dataset_goes_to_the_named_competition(competition: Competition, folder: Path) -> None:
    run("import_dataset", folder, "--competition", competition.slug)

    assert Dataset.objects.get().competition == competition


def test_import_dataset_without_either_is_for_superusers_alone(folder: Path, db) -> None:
    run("import_dataset", folder)

    assert Dataset.objects.get().competition is None


def test_import_dataset_refuses_an_unknown_competition(folder: Path, db) -> None:
    with pytest.raises(CommandError, match="Unknown competition"):
        run("import_dataset", folder, "--competition", "nowhere")

    assert not Dataset.objects.exists()


def test_sync_gives_a_new_competition_and_its_data_to_the_named_organisers(folder: Path, staff: User) -> None:
    run("sync_tracks", PRESET, "--competition", "winter", "--data", folder, "--organiser", staff.username)

    winter = Competition.objects.get(slug="winter")
    assert list(winter.organisers.all()) == [staff]
    assert Dataset.objects.get().competition == winter


def test_sync_changes_nothing_for_an_unknown_organiser(folder: Path, alice: User) -> None:
    printed = refused("sync_tracks", PRESET, "--competition", "winter", "--organiser", alice.username)

    assert "“alice” is not the name of an organiser's account" in printed
    assert not Competition.objects.exists()


def test_a_check_keeps_the_archive_that_another_competition_has(
    competition: Competition, dataset: Dataset, folder: Path
) -> None:
    run("sync_tracks", PRESET, "--competition", "winter", "--data", folder, "--check")

    assert Dataset.objects.get() == dataset
    assert dataset.archive.storage.exists(dataset.archive.name)


def test_import_dataset_prints_findings(db, folder: Path) -> None:
    (folder / "labels.csv").write_text("file,label\nnowhere.png,x\n")

    assert "the label “x” is not a whole number" in refused("import_dataset", folder)


def test_import_dataset_refuses_an_unknown_track(folder: Path, db) -> None:
    with pytest.raises(CommandError):
        run("import_dataset", folder, "--track", "nowhere")

    assert not Dataset.objects.exists()


def test_sync_says_when_a_scored_track_differs_from_its_benchmark(track: Track, tmp_path: Path) -> None:
    services.open_track(track=track)
    ada = User.objects.create(username="ada")
    submission = Submission.objects.create(
        track=track, participant=ada, entry="x", entry_name="x", entry_bytes=1, sha256="0" * 64
    )
    Evaluation.objects.create(submission=submission, benchmark=track.benchmark)
    file = tmp_path / "track.yaml"
    text = (
        f"slug: {PRESET}\nname: T\nformats: [onnx]\noutput: {{kind: logits, width: 100}}\nmetric: accuracy\n"
    )
    file.write_text(text)

    assert "differs from benchmark version" in run("sync_tracks", file, "--competition", "cvpr2022")
