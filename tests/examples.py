"""Values and rows that many tests start from."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from competition.submissions.lifecycle.faults import TRIED_FOR
from competition.submissions.models import Evaluation
from competition.tracks.differences import as_text, identity, versions_with
from competition.tracks.documents import as_json
from competition.tracks.models import BenchmarkVersion, Track
from scoring.contracts import (
    Breakdown,
    Format,
    Metric,
    Precision,
    Quantised,
    ScoreReport,
    ScoreValue,
    Share,
    Usage,
    Verdict,
    digest_of,
)
from scoring.environment import entry_environment
from scoring.errors import Cause

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A time that moves only when it is told to."""

    now: datetime = field(default=START)

    def advance(self, **duration: float) -> datetime:
        """Let time pass and return the new time."""
        self.now += timedelta(**duration)
        return self.now


def tried_before(evaluation: Evaluation, *, times: int = 2, at: datetime = START) -> None:
    """Let our faults have ended earlier attempts, so long ago that the next one is the last."""
    for number in range(times):
        evaluation.faults.create(
            worker="other:1",
            machine="other",
            cause=Cause.UNKNOWN,
            reference=f"{number:08}",
            at=at - TRIED_FOR - timedelta(hours=number),
        )


def new_benchmark(track: Track) -> BenchmarkVersion:
    """Make the track's fields and dataset, as they are, its newest benchmark version, even if nothing changed."""
    document = track.document()
    versions = versions_with(entry_environment()).of(document.spec)
    number = track.benchmarks.count() + 1
    track.benchmark = BenchmarkVersion.objects.create(
        track=track,
        number=number,
        dataset=track.dataset,
        spec=as_json(document),
        spec_digest=document.spec.digest(),
        reader_version=as_text(versions.readers),
        metric_version=as_text(versions.metrics),
        environment=dict(versions.environment),
        digest=digest_of([identity(track.dataset, document.spec, versions), number]),
    )
    track.save()
    return track.benchmark


def set_fields(track: Track, **fields: object) -> Track:
    """Set fields of a track, those of its document by their place: `budgets__max_macs=7`. None takes one away."""
    body = deepcopy(track.body)
    columns = {column.name for column in track._meta.concrete_fields}
    for place, value in fields.items():
        *sections, name = place.split("__")
        if not sections and name in columns:
            setattr(track, name, value)
            continue
        part = body.setdefault(sections[0], {}) if sections else body
        part.pop(name, None)
        if value is not None:
            part[name] = value
    track.body = body
    return track


def rewrite(track: Track, **fields: object) -> Track:
    """Set fields of a track as `set_fields` does, and save it."""
    set_fields(track, **fields).save()
    return track


def score_value(value: float, *, margin: float = 0.01) -> ScoreValue:
    """Return a score with an interval of the margin on both sides."""
    return ScoreValue(value=value, ci=(value - margin, value + margin), higher_is_better=True, version="1")


def quantised_scores(value: float, *, of: float, private: float | None = None) -> Quantised:
    """Return the second scores of an entry that scores `of` in float."""
    return Quantised(
        precision=Precision.W8A8,
        calibration_samples=100,
        share_in_8_bits=0.9876,
        drop_points=100 * (of - value),
        max_drop_points=10.0,
        scores={Metric.ACCURACY: score_value(value)},
        private_scores={} if private is None else {Metric.ACCURACY: score_value(private)},
    )


def scored_report(value: float = 0.9, *, private: float | None = None, log: str = "") -> ScoreReport:
    """Return a report as the flow returns it for a scored entry."""
    return ScoreReport(
        verdict=Verdict.SCORED,
        format=Format.CVPR_ZIP,
        track="track-one",
        benchmark=None,
        usage=Usage(parameters=10, trainable_parameters=10, macs=100, macs_by_counter={"dispatch": 100}),
        scores={Metric.ACCURACY: score_value(value)},
        private_scores={} if private is None else {Metric.ACCURACY: score_value(private)},
        breakdown=Breakdown(
            by_label={"0": Share(samples=3, correct=2, accuracy=2 / 3)},
            by_group={"night": Share(samples=1, correct=1, accuracy=1.0)},
            confusion=((2, 1), (0, 0)),
        ),
        samples=4,
        timings_s={"intake": 0.1},
        log=log,
    )
