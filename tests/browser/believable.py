"""Fill an empty database with believable rows: for screenshots, and for visiting every page in tests.

The rows go through the same services and lifecycle calls as real ones; only the results are made up.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from competition.accounts.tokens import make_token
from competition.clock import database_now
from competition.leaderboard import standings, summing_up
from competition.leaderboard.baselines import make_baseline
from competition.submissions import lifecycle, services, workers
from competition.submissions.models import Submission
from competition.tracks.columns import columns_of
from competition.tracks.models import Competition, Dataset, Track
from scoring.contracts import (
    Breakdown,
    Finding,
    Format,
    Metric,
    ScoreReport,
    ScoreValue,
    Share,
    Stage,
    Usage,
    Verdict,
)
from scoring.environment import entry_environment
from scoring.errors import Rejected
from scoring.tracks import load_track
from tests.browser.told import tell
from tests.examples import new_benchmark, set_fields

PASSWORD = "correct horse battery"
RIVALS = (
    "marta.lindqvist", "deep_harbour", "kenji-92", "tensor.tamer", "o_brien", "lab-42", "quietforest", "s.okafor",
    "pixel_monk", "anna-lena.a-rather-long-participant-name", "two_lefts", "gradient_descendants",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """What the pages of a filled site are about."""

    me: User
    staff: User
    competition: Competition
    track: Track
    second_track: Track
    scored: Submission
    by_running: Submission
    rejected: Submission
    failed: Submission
    queued: Submission
    running: Submission


def fill(now: datetime) -> Scene:
    """Create a competition with two tracks, participants, and submissions in every state."""
    chance = random.Random(0)
    competition = Competition.objects.create(
        slug="cvpr2022-robustness",
        name="CVPR 2022 robust models",
        summary="Classifiers and detectors that hold up on images they were not made for.",
    )
    tell(competition, now)
    track = _track(competition, "cvpr2022-track1", now)
    second = _track(competition, "cvpr2022-track2", now)
    _complete(track, _person("nadia"), now, value=0.8801)
    for position, name in enumerate(RIVALS):
        value, size = 0.93 - 0.017 * position, chance.uniform(0.1, 1)
        usage = replace(
            CAPTURED,
            parameters=int(28_000_000 * size),
            macs=int(4_900_000_000 * size * chance.uniform(0.5, 1)),
        )
        at = now - timedelta(hours=chance.uniform(1, 90))
        _complete(track, _person(name), at, value=value, usage=usage)
    me = _person("ines.castro")
    for name in ("laptop", "cluster of the institute"):
        make_token(owner=me, name=name)
    scored = _complete(track, me, now - timedelta(hours=5), value=0.8802)
    by_running = _complete(
        track, _person("numpy_in_forward"), now - timedelta(hours=6), value=0.871, usage=BY_RUNNING
    )
    _complete(track, _person("same_score"), now - timedelta(hours=4), value=0.8802)
    staff = get_user_model().objects.create_superuser("organiser", "organiser@example.org", PASSWORD)
    baseline = _complete(track, staff, now - timedelta(days=4), value=0.76)
    make_baseline(submission=baseline, name="ResNet-18, as torchvision trained it", by=staff)
    scene = Scene(
        me=me,
        staff=staff,
        competition=competition,
        track=track,
        second_track=second,
        scored=scored,
        by_running=by_running,
        rejected=_reject(second, me, now - timedelta(hours=3)),
        failed=_fail(track, me, now - timedelta(hours=2)),
        running=_run(second, me, now - timedelta(seconds=90)),
        queued=_upload(track, me, now - timedelta(seconds=40), name="convnext-tiny-v7.onnx"),
    )
    workers.show(_worker(now), now=database_now())
    summing_up.sweep(now)
    return scene


def _worker(started_at: datetime) -> workers.Sign:
    """Return what a worker of this machine shows of itself."""
    return workers.Sign(
        name="worker:1",
        machine="worker",
        version="1",
        started_at=started_at,
        queues=("cpu",),
        environment=entry_environment(),
    )


def _person(name: str) -> User:
    person = get_user_model().objects.create_user(name, f"{name}@example.org", PASSWORD)
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def _track(competition: Competition, preset: str, now: datetime) -> Track:
    dataset = Dataset.objects.create(
        name=f"{preset} hidden", archive=f"datasets/{preset}.zip", digest="sha256:" + preset[-1] * 64,
        samples=2_000, private_samples=1_000, highest_label=99,
    )  # fmt: skip
    columns = columns_of(load_track(preset)) | {
        "opens_at": now - timedelta(days=6),
        "closes_at": now + timedelta(days=24),
    }
    track = Track(competition=competition, dataset=dataset, **columns)
    set_fields(track, prizes=False)  # so that reports show all that they can
    width = track.spec().output.width
    if width > 1:
        set_fields(track, output__class_names=[f"kind {label} of thing" for label in range(width)])
    track.save()
    new_benchmark(track)
    track.is_open = True
    track.save()
    return track


def _upload(track: Track, participant: User, at: datetime, *, name: str) -> Submission:
    content = f"{participant} {name} {at}".encode()
    return services.accept_submission(
        participant=participant, track=track, upload=ContentFile(content, name), name=name, now=at
    )


def _claim(submission: Submission, at: datetime) -> lifecycle.Lease:
    lease = lifecycle.claim(submission.evaluations.get().pk, owner="believable", now=at)
    if lease is None:
        raise RuntimeError(f"{submission} cannot be claimed")
    return lease


def _complete(
    track: Track, participant: User, at: datetime, *, value: float, usage: Usage | None = None
) -> Submission:
    submission = _upload(track, participant, at, name="resnet18-bgr.zip")
    lease = _claim(submission, at + timedelta(seconds=4))
    lifecycle.note_stage(lease, Stage.METRIC, now=at + timedelta(seconds=50))
    report = replace(report_of(value), usage=usage or CAPTURED)
    lifecycle.record_scored(lease, report, now=at + timedelta(seconds=52), place=standings.place)
    return submission


def _score(value: float) -> ScoreValue:
    return ScoreValue(value=value, ci=(value - 0.0142, value + 0.0139), higher_is_better=True, version="1")


CAPTURED = Usage(
    parameters=11_699_112,
    trainable_parameters=11_689_512,
    macs=4_948_449_792,
    macs_by_counter={
        "graph": 4_948_449_792, "dispatch": 4_948_449_792, "ptflops": 5_371_759_084, "fvcore": 4_948_449_792
    },
    binding_counter="graph",
    captured=True,
    uncounted_ops=("aten::special_bessel_j0",),
    package_bytes=46_802_113,
    cpu_s_per_sample=0.0412,
)  # fmt: skip
BY_RUNNING = replace(
    CAPTURED,
    macs=1_814_073_344,
    macs_by_counter={"dispatch": 1_814_073_344, "ptflops": 1_819_066_368, "fvcore": None},
    binding_counter="dispatch",
    captured=False,
    not_captured="forward() calls NumPy (aten::_to_copy of a tensor to an array)",
)


def report_of(value: float) -> ScoreReport:
    """Return a report with everything that a page can show."""
    return ScoreReport(
        verdict=Verdict.SCORED,
        format=Format.CVPR_ZIP,
        track="cvpr2022-track1",
        benchmark=None,
        usage=CAPTURED,
        warnings=(
            Finding(code="wrapping_folder", path="resnet18-bgr/"),
            Finding(code="uncounted_ops", facts={"ops": "aten::special_bessel_j0"}),
        ),
        scores={Metric.ACCURACY: _score(value), Metric.TOP5_ACCURACY: _score(value + 0.05)},
        private_scores={Metric.ACCURACY: _score(value - 0.01), Metric.TOP5_ACCURACY: _score(value + 0.04)},
        breakdown=Breakdown(
            by_label={
                str(label): Share(samples=20, correct=20 - label, accuracy=1 - label / 20)
                for label in range(3)
            },
            by_group={"at night": Share(samples=40, correct=31, accuracy=31 / 40)},
            confusion=((20, 0, 0), (1, 19, 0), (0, 2, 18)),
        ),
        samples=2_000,
        timings_s={"intake": 0.12, "inspect": 0.004, "measure": 2.31, "predict": 41.5, "metric": 0.02},
        log="model.py: building the network\nmodel.py: loaded weights.pt (62 tensors)\n",
    )


def _reject(track: Track, participant: User, at: datetime) -> Submission:
    submission = _upload(
        track, participant, at, name="vit_b_16-with-a-quite-long-file-name-that-must-wrap.zip"
    )
    lease = _claim(submission, at + timedelta(seconds=3))
    lifecycle.note_stage(lease, Stage.ENFORCE, now=at + timedelta(seconds=9))
    over = Rejected(
        Finding(code="parameters_over_budget", facts={"found": 86_567_656, "allowed": 30_000_000}),
        Finding(
            code="macs_over_budget",
            facts={"found": 17_563_828_736, "allowed": 5_000_000_000, "counter": "dispatch"},
        ),
        log="vit_b_16 ready\n",
        timings_s={"intake": 0.4, "measure": 5.2},
    )
    lifecycle.record_rejected(lease, over, now=at + timedelta(seconds=10))
    return submission


def _fail(track: Track, participant: User, at: datetime) -> Submission:
    submission = _upload(track, participant, at, name="mobilenet.onnx")
    for attempt in range(3):
        begun = at + timedelta(minutes=1 + attempt)
        lease = _claim(submission, begun)
        lifecycle.note_stage(lease, Stage.PREDICT, now=begun)
        lifecycle.record_fault(lease, reference="b7c1e09a", detail="OSError: disk full", now=begun)
    return submission


def _run(track: Track, participant: User, at: datetime) -> Submission:
    submission = _upload(track, participant, at, name="open-set-detector.zip")
    lease = _claim(submission, at + timedelta(seconds=2))
    lifecycle.note_stage(lease, Stage.MEASURE, now=at + timedelta(hours=1))  # a lease that outlasts the visit
    return submission
