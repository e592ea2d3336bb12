"""Acts on tracks: benchmark versions, opening, cloning, documents."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone

from competition.submissions.models import Evaluation, Submission
from competition.tracks import services
from competition.tracks.differences import differences
from competition.tracks.models import BenchmarkVersion, Competition, Dataset, Track
from scoring.contracts import Metric, Quantisation
from scoring.tracks import InvalidTrack, TrackDocument, dump_track, load_track, parse_track, presets
from tests.examples import rewrite, set_fields

pytestmark = pytest.mark.django_db

NAMES = tuple(f"class {number}" for number in range(100))
QUANTISATION = Quantisation(calibration_samples=50, max_drop_points=2.5)


def with_names_and_quantisation(document: TrackDocument) -> TrackDocument:
    """Return the document with names for its 100 classes and a second score."""
    spec = document.spec
    named = replace(spec, output=replace(spec.output, class_names=NAMES), quantisation=QUANTISATION)
    return replace(document, spec=named)


def evaluate(track: Track) -> Evaluation:
    """Queue one evaluation on the track's benchmark version."""
    participant = User.objects.create(username="ada")
    submission = Submission.objects.create(
        track=track,
        participant=participant,
        entry="entries/x",
        entry_name="x.zip",
        entry_bytes=1,
        sha256="0" * 64,
    )
    return Evaluation.objects.create(submission=submission, benchmark=track.benchmark)


def test_first_benchmark_version_is_number_1(track: Track, dataset: Dataset) -> None:
    version = services.renew_benchmark(track=track)

    assert (version.number, version.dataset, version.spec_digest) == (1, dataset, track.spec().digest())
    assert version.metric_version == "accuracy=1,top5_accuracy=1"
    assert Track.objects.get().benchmark == version


def test_renewing_without_a_change_keeps_the_version(track: Track) -> None:
    first = services.renew_benchmark(track=track)

    assert services.renew_benchmark(track=track) == first
    assert BenchmarkVersion.objects.count() == 1


def test_a_benchmark_version_remembers_its_track_document(track: Track) -> None:
    version = services.renew_benchmark(track=track)
    document = track.document()
    set_fields(track, budgets__max_macs=1)
    track.save()

    assert BenchmarkVersion.objects.get(pk=version.pk).document() == document


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("budgets__max_parameters", 1_000),
        ("output__width", 200),
        ("run_limits__batch_size", 7),
        ("input__channel_order", "rgb"),
        ("extra_metrics", []),
        ("quantisation__precision", "w8a8"),
    ],
)
def test_a_changed_spec_makes_a_new_version(track: Track, place: str, value: object) -> None:
    services.renew_benchmark(track=track)
    rewrite(track, **{place: value})

    assert services.renew_benchmark(track=track).number == 2


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("name", "Other"),
        ("rules", "Other"),
        ("quota_submissions", 9),
        ("closes_at", None),
        ("output__class_names", NAMES),
    ],
)
def test_what_changes_no_score_keeps_the_version(track: Track, place: str, value: object) -> None:
    first = services.renew_benchmark(track=track)
    rewrite(track, **{place: value})

    assert services.renew_benchmark(track=track) == first


def test_another_dataset_makes_a_new_version(track: Track, make_folder) -> None:
    services.renew_benchmark(track=track)
    other = make_folder((3, "public"), (4, "public"), name="other")
    track.dataset = services.import_dataset_folder(name="other", folder=other)
    track.save()

    assert services.renew_benchmark(track=track).number == 2


def test_going_back_takes_up_the_old_version(track: Track) -> None:
    first = services.renew_benchmark(track=track)
    for batch_size in (7, 32):
        set_fields(track, run_limits__batch_size=batch_size)
        track.save()
        last = services.renew_benchmark(track=track)

    assert last == first


def test_a_track_without_a_dataset_has_no_benchmark(track: Track) -> None:
    track.dataset = None
    track.save()

    with pytest.raises(services.NotReady):
        services.renew_benchmark(track=track)


def test_a_ready_track_opens_with_a_benchmark(track: Track) -> None:
    services.open_track(track=track)

    row = Track.objects.get()
    assert row.is_open
    assert row.benchmark.number == 1
    assert row.is_taking_submissions(timezone.now())


def test_a_track_that_is_not_ready_stays_closed(track: Track) -> None:
    set_fields(track, rules="")
    track.save()

    with pytest.raises(services.NotReady) as caught:
        services.open_track(track=track)

    assert [check.name for check in caught.value.checks] == ["Rules"]
    assert not Track.objects.get().is_open


def test_opening_after_a_change_without_evaluations_renews(track: Track) -> None:
    services.open_track(track=track)
    services.close_track(track=track)
    set_fields(track, run_limits__batch_size=7)
    track.save()

    services.open_track(track=track)

    assert Track.objects.get().benchmark.number == 2


def test_opening_again_keeps_a_benchmark_with_evaluations(track: Track) -> None:
    services.open_track(track=track)
    evaluate(track)
    set_fields(track, run_limits__batch_size=7)
    track.save()

    services.open_track(track=track)

    assert Track.objects.get().benchmark.number == 1
    assert differences(track)


def test_an_unchanged_track_does_not_differ_from_its_benchmark(track: Track) -> None:
    services.open_track(track=track)

    assert not differences(track)


def test_a_clone_is_closed_and_equal_but_for_its_names(track: Track) -> None:
    services.open_track(track=track)

    clone = services.clone_track(track=track, slug="copy")

    assert (clone.slug, clone.name, clone.is_open, clone.benchmark) == (
        "copy",
        f"{track.name} (copy)",
        False,
        None,
    )
    assert clone.dataset == track.dataset
    assert clone.spec().digest() == track.spec().digest()


def test_a_clone_needs_a_free_slug(track: Track) -> None:
    with pytest.raises(ValidationError):
        services.clone_track(track=track, slug=track.slug)


@pytest.mark.parametrize("preset", presets())
def test_a_document_survives_the_way_through_the_columns(competition: Competition, preset: str) -> None:
    opens = datetime(2030, 1, 1, tzinfo=UTC)
    document = load_track(preset)
    document = replace(
        document, page=replace(document.page, opens_at=opens, closes_at=opens + timedelta(days=9))
    )

    services.bring_in_line(document=document, competition=competition, dataset=None)

    assert Track.objects.get().document() == document


def test_names_and_quantisation_survive_the_way_through_file_and_columns(competition: Competition) -> None:
    document = with_names_and_quantisation(load_track("cvpr2022-track1"))

    services.bring_in_line(document=parse_track(dump_track(document)), competition=competition, dataset=None)

    assert Track.objects.get().document() == document


def test_taking_quantisation_and_names_away_leaves_no_trace(competition: Competition) -> None:
    plain = load_track("cvpr2022-track1")

    outcomes = [
        services.bring_in_line(document=given, competition=competition, dataset=None)
        for given in (with_names_and_quantisation(plain), plain, plain)
    ]

    assert [synced.outcome.value for synced in outcomes] == ["created", "updated", "unchanged"]
    assert Track.objects.get().document() == plain


def test_what_is_published_names_quantisation_and_not_class_names(
    track: Track, competition: Competition
) -> None:
    services.renew_benchmark(track=track)
    document = with_names_and_quantisation(track.document())
    services.bring_in_line(document=document, competition=competition, dataset=None)

    found = differences(Track.objects.get())

    assert {(difference.place, difference.before, difference.after) for difference in found} == {
        ("quantisation.precision", "–", "w8a8"),
        ("quantisation.calibration_samples", "–", "50"),
        ("quantisation.max_drop_points", "–", "2.5"),
        ("quantisation.sensitive_percent", "–", "10"),
    }


def test_a_benchmark_version_remembers_its_quantisation(track: Track, competition: Competition) -> None:
    document = with_names_and_quantisation(track.document())
    services.bring_in_line(document=document, competition=competition, dataset=None)

    version = services.renew_benchmark(track=Track.objects.get())

    assert BenchmarkVersion.objects.get(pk=version.pk).document() == document


def test_bringing_in_line_says_created_unchanged_updated(competition: Competition) -> None:
    document = load_track("cvpr2022-track1")
    changed = replace(document, spec=replace(document.spec, metric=Metric.TOP5_ACCURACY, extra_metrics=()))

    outcomes = [
        services.bring_in_line(document=given, competition=competition, dataset=None)
        for given in (document, document, changed)
    ]

    assert [synced.outcome.value for synced in outcomes] == ["created", "unchanged", "updated"]
    assert outcomes[2].changed == ("metric", "extra_metrics")


def test_bringing_in_line_keeps_the_dataset_unless_given(track: Track, competition: Competition) -> None:
    services.bring_in_line(document=load_track("cvpr2022-track1"), competition=competition, dataset=None)

    assert Track.objects.get().dataset is not None


def test_a_slug_of_another_competition_is_refused(track: Track) -> None:
    other = Competition.objects.create(slug="other", name="Other")

    with pytest.raises(InvalidTrack):
        services.bring_in_line(document=track.document(), competition=other, dataset=None)


def test_bringing_in_line_keeps_a_benchmark_with_evaluations(track: Track, competition: Competition) -> None:
    services.open_track(track=track)
    evaluate(track)
    document = track.document()
    changed = replace(document, spec=replace(document.spec, extra_metrics=()))

    synced = services.bring_in_line(document=changed, competition=competition, dataset=None).track

    assert synced.benchmark.number == 1


def test_an_import_needs_a_folder_with_labels(tmp_path: Path) -> None:
    with pytest.raises(services.DatasetProblem):
        services.import_dataset_folder(name="empty", folder=tmp_path)
