"""What a track and the site no longer have in common with a benchmark version, and who says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from competition import publishing
from competition.submissions.counts import count_submission
from competition.submissions.models import Evaluation, Submission
from competition.submissions.services import accept_submission
from competition.tracks import services
from competition.tracks.differences import NOTHING, differences
from competition.tracks.models import BenchmarkVersion, Dataset, Track
from scoring import environment
from scoring.contracts import METRIC_FACTS, READER_FACTS, Metric, Reader
from scoring.environment import ENV_FILE, entry_environment, used_in
from tests.examples import set_fields

pytestmark = pytest.mark.django_db

TORCH = entry_environment()["torch"]


@pytest.fixture
def opened(track: Track) -> Track:
    """An open track with an evaluation on its first benchmark version."""
    services.open_track(track=track)
    evaluate(track)
    return track


@pytest.fixture
def set_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that upgrades torch in env.txt."""

    def upgrade(version: str) -> None:
        file = tmp_path / "env.txt"
        file.write_text(ENV_FILE_TEXT.replace(f"\ntorch=={TORCH}\n", f"\ntorch=={version}\n"))
        monkeypatch.setattr(environment, "ENV_FILE", file)

    return upgrade


ENV_FILE_TEXT = ENV_FILE.read_text("utf-8")


@pytest.fixture
def upgraded(opened: Track, set_pin: Callable[[str], None]) -> Track:
    """A scored track whose site has another torch in its env.txt since."""
    set_pin("99.1")
    return opened


def evaluate(track: Track) -> Evaluation:
    participant, _ = User.objects.get_or_create(username="ada")
    submission = Submission.objects.create(
        track=track, participant=participant, entry="x", entry_name="x", entry_bytes=1, sha256="0" * 64
    )
    count_submission(submission)
    return Evaluation.objects.create(submission=submission, benchmark=track.benchmark)


def told(track: Track) -> list[tuple[str, str, str]]:
    return [(found.place, found.before, found.after) for found in differences(track)]


def new_version_of_a_metric(monkeypatch: pytest.MonkeyPatch, metric: Metric, version: str) -> None:
    monkeypatch.setitem(METRIC_FACTS, metric, replace(METRIC_FACTS[metric], version=version))


def test_an_upgrade_of_the_environment_is_a_difference_that_names_the_package(upgraded: Track) -> None:
    assert told(upgraded) == [("environment: torch", TORCH, "99.1")]


def test_an_upgrade_is_told_in_a_sentence(upgraded: Track) -> None:
    assert services.unpublished_in_words(upgraded) == (
        f"The environment changed since version 1: torch {TORCH} -> 99.1.",
    )


def test_a_package_that_decides_no_score_makes_no_difference(
    opened: Track, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "env.txt").write_text(ENV_FILE_TEXT.replace("scipy==", "scipy==1"))
    monkeypatch.setattr(environment, "ENV_FILE", tmp_path / "env.txt")

    assert told(opened) == []


def test_a_package_that_later_counts_too_makes_no_difference(opened: Track) -> None:
    known = {name: version for name, version in opened.benchmark.environment.items() if name != "timm"}
    BenchmarkVersion.objects.update(environment=known)

    assert told(Track.objects.get()) == []


def test_a_package_that_is_gone_is_a_difference(opened: Track, set_pin: Callable[[str], None]) -> None:
    set_pin("")

    assert told(opened) == [("environment: torch", TORCH, NOTHING)]


def test_a_new_version_of_the_reader_is_a_difference(opened: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = replace(READER_FACTS[Reader.IMAGE], version="2")
    monkeypatch.setitem(READER_FACTS, Reader.IMAGE, facts)

    assert told(opened) == [("reader: image", "1", "2")]


def test_a_new_version_of_another_reader_is_none(opened: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = replace(READER_FACTS[Reader.AUDIO], version="2")
    monkeypatch.setitem(READER_FACTS, Reader.AUDIO, facts)

    assert told(opened) == []


@pytest.mark.parametrize("metric", [Metric.ACCURACY, Metric.TOP5_ACCURACY])
def test_a_new_version_of_a_metric_is_a_difference(
    opened: Track, metric: Metric, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_version_of_a_metric(monkeypatch, metric, "7")

    assert told(opened) == [(f"metrics: {metric}", "1", "7")]


def test_each_aspect_has_its_sentence(upgraded: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    new_version_of_a_metric(monkeypatch, Metric.ACCURACY, "7")
    set_fields(upgraded, run_limits__batch_size=7, run_limits__seed=3).save()

    assert services.unpublished_in_words(Track.objects.get()) == (
        "The spec changed since version 1: run_limits.batch_size 32 -> 7, run_limits.seed 0 -> 3.",
        "The metrics changed since version 1: accuracy 1 -> 7.",
        f"The environment changed since version 1: torch {TORCH} -> 99.1.",
    )


def test_data_that_were_imported_again_under_their_name_are_told_apart(opened: Track) -> None:
    before = opened.dataset
    after = Dataset.objects.create(
        name=before.name, archive="x", digest="sha256:" + "e" * 64, samples=before.samples
    )
    services.assign_dataset(track=opened, dataset=after)

    begins = before.digest.removeprefix("sha256:")[:8]
    assert told(opened) == [("dataset", f"{before} {begins}", f"{after} eeeeeeee")]


def test_a_track_without_its_dataset_differs_by_it(opened: Track) -> None:
    opened.dataset = None

    assert [place for place, _, after in told(opened) if after == NOTHING] == ["dataset"]


def test_a_track_whose_fields_are_not_valid_differs_by_them(opened: Track) -> None:
    set_fields(opened, metric="none of ours")

    assert [place for place, _, _ in told(opened)] == ["fields"]


def test_nothing_waits_to_be_published_before_an_evaluation(
    track: Track, set_pin: Callable[[str], None]
) -> None:
    services.open_track(track=track)
    set_pin("99.1")

    assert services.unpublished(track) == ()


# --- publishing ---------------------------------------------------------------------------------


def test_publishing_an_upgrade_makes_a_version_that_remembers_it(upgraded: Track) -> None:
    published = publishing.publish(track=upgraded)

    assert (published.version.number, published.rescored) == (2, 1)
    assert published.version.environment == {**used_in("default", entry_environment()), "torch": "99.1"}
    assert told(Track.objects.get()) == []


def test_publishing_with_nothing_changed_starts_no_board(opened: Track) -> None:
    published = publishing.publish(track=opened)

    assert (published.version, published.rescored) == (opened.benchmark, 0)
    assert BenchmarkVersion.objects.count() == 1


def test_going_back_to_the_old_packages_takes_up_the_old_version(
    upgraded: Track, set_pin: Callable[[str], None]
) -> None:
    first = upgraded.benchmark
    publishing.publish(track=upgraded)
    set_pin(TORCH)

    assert publishing.publish(track=upgraded).version == first


def test_an_old_digest_is_a_name_and_makes_no_difference(opened: Track) -> None:
    BenchmarkVersion.objects.update(digest="sha256:old", spec_digest="sha256:older")
    track = Track.objects.get()

    assert told(track) == []
    assert publishing.publish(track=track).version == opened.benchmark


@pytest.mark.parametrize("changed", ["dataset", "spec", "environment", "readers", "metrics"])
def test_the_digest_of_a_version_covers_each_of_its_parts(
    opened: Track, changed: str, monkeypatch: pytest.MonkeyPatch, set_pin: Callable[[str], None]
) -> None:
    first = opened.benchmark.digest
    if changed == "dataset":
        opened.dataset = Dataset.objects.create(
            name="b", archive="x", digest="sha256:" + "e" * 64, samples=4, highest_label=3
        )
    elif changed == "spec":
        set_fields(opened, run_limits__seed=3)
    elif changed == "environment":
        set_pin("99.1")
    elif changed == "readers":
        facts = replace(READER_FACTS[Reader.IMAGE], version="2")
        monkeypatch.setitem(READER_FACTS, Reader.IMAGE, facts)
    else:
        new_version_of_a_metric(monkeypatch, Metric.ACCURACY, "7")
    opened.save()

    assert services.renew_benchmark(track=opened).digest != first


# --- entries ------------------------------------------------------------------------------------


def submit(track: Track) -> BenchmarkVersion:
    ada, _ = User.objects.get_or_create(username="ada")
    upload = SimpleUploadedFile("entry.zip", b"an entry")
    submission = accept_submission(
        participant=ada, track=track, upload=upload, name="entry.zip", now=timezone.now()
    )
    return submission.evaluations.get().benchmark


def test_the_first_entry_after_an_upgrade_is_held_to_what_is_there_now(
    track: Track, set_pin: Callable[[str], None]
) -> None:
    services.open_track(track=track)
    set_pin("99.1")

    version = submit(track)

    assert (version.number, version.environment["torch"]) == (2, "99.1")
    assert Track.objects.get().benchmark == version


def test_a_later_entry_is_held_to_the_published_version(upgraded: Track) -> None:
    assert submit(upgraded) == upgraded.benchmark


# --- pages --------------------------------------------------------------------------------------

SENTENCE = f"The environment changed since version 1: torch {TORCH} -&gt; 99.1."


def test_the_admin_lists_what_waits_to_be_published(upgraded: Track, admin_client) -> None:
    page = admin_client.get(reverse("admin:tracks_track_change", args=[upgraded.pk])).content.decode()

    assert SENTENCE in page
    assert "in the queue until you publish" in " ".join(page.split())


def test_the_admin_says_nothing_where_nothing_changed(opened: Track, admin_client) -> None:
    page = admin_client.get(reverse("admin:tracks_track_change", args=[opened.pk])).content.decode()

    assert "changed since version" not in page


def test_a_changed_field_alone_makes_no_evaluation_wait(opened: Track, admin_client) -> None:
    set_fields(opened, run_limits__seed=3).save()

    page = admin_client.get(reverse("admin:tracks_track_change", args=[opened.pk])).content.decode()

    assert "run_limits.seed 0 -&gt; 3" in page
    assert "in the queue until you publish" not in " ".join(page.split())


def test_the_publishing_page_offers_to_publish_an_upgrade(upgraded: Track, admin_client) -> None:
    page = admin_client.get(reverse("admin:tracks_track_publish", args=[upgraded.pk])).content.decode()

    assert f"<td>environment: torch</td><td>{TORCH}</td><td>99.1</td>" in page
    assert "Publish and rescore (1)" in page


def test_the_page_that_opens_a_track_says_what_waits(upgraded: Track, admin_client) -> None:
    services.close_track(track=upgraded)

    page = admin_client.get(reverse("admin:tracks_track_open", args=[upgraded.pk])).content.decode()

    assert f"<td>environment: torch</td><td>{TORCH}</td><td>99.1</td>" in page


def test_organisers_read_it_on_the_tracks_page_and_nobody_else(upgraded: Track, admin_client, client) -> None:
    address = reverse("track", args=[upgraded.slug])

    assert SENTENCE in admin_client.get(address).content.decode()
    assert "changed since version" not in client.get(address).content.decode()
