"""Each check that must pass before a track opens, broken one at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from competition.tracks import services
from competition.tracks.models import Track
from competition.tracks.readiness import Check, examine
from scoring import environment
from tests.examples import set_fields

pytestmark = pytest.mark.django_db

NOW = datetime(2030, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def failed(track: Track) -> set[str]:
    """Return the names of the checks that fail."""
    return {check.name for check in examine(track, now=NOW) if not check.ok}


def test_a_whole_track_is_ready(track: Track) -> None:
    assert failed(track) == set()


@pytest.mark.parametrize(
    ("place", "value", "names"),
    [
        ("rules", " \n", {"Rules"}),
        ("closes_at", NOW, {"Window"}),
        ("opens_at", NOW + 2 * HOUR, {"Fields"}),
        ("quota_submissions", 0, {"Fields"}),
        ("metric", "best_f1", {"Fields"}),
        ("extra_metrics", ["best_f1"], {"Fields"}),
        ("formats", [], {"Fields"}),
        ("formats", ["exe"], {"Fields"}),
        ("output__width", 99, {"Labels"}),
        ("input__shape", [1, 224, 224], {"Fields"}),
        ("budgets__max_macs", 0, {"Fields"}),
        ("dataset", None, {"Dataset"}),
        ("output__class_names", ["cat", "dog"], {"Fields"}),
        ("quantisation__precision", "w4a4", {"Fields"}),
    ],
)
def test_one_thing_that_is_wrong_is_found(track: Track, place: str, value: object, names: set[str]) -> None:
    track.closes_at = NOW + HOUR
    set_fields(track, **{place: value})

    assert failed(track) == names


def test_labels_of_a_confidence_track_are_0_and_1(track: Track) -> None:
    set_fields(track, output__kind="confidence", output__width=1, metric="best_f1", extra_metrics=[])

    assert failed(track) == {"Labels"}


def test_a_lost_archive_is_found(track: Track) -> None:
    track.dataset.archive.storage.delete(track.dataset.archive.name)

    assert failed(track) == {"Dataset"}


@pytest.mark.parametrize(
    "rows", [((0, "public"), (1, "private"), (0, "private")), ((0, "public"), (0, "public"))]
)
def test_a_split_with_one_class_is_found(
    track: Track, make_folder, rows: tuple[tuple[int, str], ...]
) -> None:
    poor = make_folder(*rows, name="poor")
    track.dataset = services.import_dataset_folder(name="poor", folder=poor)

    assert failed(track) == {"Classes"}


def test_a_failed_check_says_what_to_do(track: Track) -> None:
    set_fields(track, output__width=99)

    message = next(check.message for check in examine(track, now=NOW) if check.name == "Labels")

    assert "99" in message
    assert "0 to 98" in message
    assert "Correct" in message


def message_of(track: Track, name: str) -> str:
    return next(check.message for check in examine(track, now=NOW) if check.name == name)


def test_a_track_without_class_names_is_told_what_its_pages_show(track: Track) -> None:
    assert message_of(track, "Class names") == "The classes have no names; pages show numbers."


def test_a_second_score_is_told_with_its_numbers(track: Track) -> None:
    set_fields(track, quantisation={"calibration_samples": 1_200, "max_drop_points": 2.5})
    track.dataset.samples, track.dataset.private_samples = 9_000, 1_000

    message = message_of(track, "Quantisation")

    assert "w8a8, calibrated on 1,200 public samples" in message
    assert "2.5 points" in message


def test_all_public_samples_are_taken_where_more_are_wanted(track: Track) -> None:
    set_fields(track, quantisation__precision="w8a8")
    track.dataset.samples, track.dataset.private_samples = 50, 20

    assert "calibrated on 30 public samples" in message_of(track, "Quantisation")


def test_quantisation_without_a_public_sample_is_found(track: Track) -> None:
    set_fields(track, quantisation__precision="w8a8")
    track.dataset.private_samples = track.dataset.samples

    assert failed(track) == {"Quantisation"}


def test_a_dataset_of_another_kind_than_the_track_reads_is_found(track: Track) -> None:
    track.dataset.readers = ["video", "audio"]

    check = next(check for check in examine(track, now=NOW) if check.name == "Dataset")

    assert failed(track) == {"Dataset"}
    assert "holds video or audio, but the track reads image" in check.message


def environment_check(track: Track, name: str) -> Check:
    set_fields(track, environment=name)
    return next(check for check in examine(track, now=NOW) if check.name == "Environment")


def test_an_environment_of_its_own_names_the_command_for_workers(track: Track, own_environment: str) -> None:
    check = environment_check(track, own_environment)

    assert check.ok
    assert f"podium environment install {own_environment}" in check.message


def test_an_environment_without_a_list_keeps_a_track_closed(track: Track, own_environment: str) -> None:
    check = environment_check(track, "nowhere-1.0")

    assert not check.ok
    assert f"Choose another environment (default, cpu-2026.1, {own_environment})" in check.message


def test_an_environment_that_entries_cannot_run_in_keeps_a_track_closed(
    track: Track, own_environment: str
) -> None:
    (environment.folder() / "old-1.0.txt").write_text("torch==1.5.0\n")

    check = environment_check(track, "old-1.0")

    assert not check.ok
    assert "not 1.5.0" in check.message


def test_a_version_is_not_made_for_an_environment_without_a_list(track: Track) -> None:
    set_fields(track, environment="nowhere-1.0").save()

    with pytest.raises(services.NotReady, match="no list “nowhere-1"):
        services.renew_benchmark(track=track)


def test_a_version_stands_for_the_packages_of_its_environment(track: Track, own_environment: str) -> None:
    plain = services.renew_benchmark(track=track)
    set_fields(track, environment=own_environment).save()
    own = services.renew_benchmark(track=track)
    (environment.folder() / f"{own_environment}.txt").write_text(environment.ENV_FILE.read_text("utf-8"))
    changed = services.renew_benchmark(track=track)

    assert f"{own_environment}.txt" not in plain.environment
    assert own.environment[f"{own_environment}.txt"] != changed.environment[f"{own_environment}.txt"]
    assert len({plain.digest, own.digest, changed.digest}) == 3
