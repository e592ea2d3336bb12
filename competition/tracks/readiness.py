"""What must be so before a track opens: each check with a tick, or with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from competition.moments import in_utc
from competition.tracks.models import Dataset, Track
from scoring.contracts import METRIC_FACTS, TRUTH_BY_OUTPUT, Metric, OutputKind, Split, TruthKind, metrics_of
from scoring.tracks import InvalidTrack


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must be so; the message says what is found and, if it failed, what to do."""

    name: str
    ok: bool
    message: str


def examine(track: Track, *, now: datetime | None = None) -> tuple[Check, ...]:
    """Return every check of the track, in the order of the form."""
    return (
        _fields(track),
        _rules(track),
        _window(track, now or timezone.now()),
        _quota(track),
        _metric(track),
        _class_names(track),
        *_quantisation(track),
        *_dataset(track),
    )


def _fields(track: Track) -> Check:
    try:
        track.document()
    except InvalidTrack as exc:
        return Check(name="Fields", ok=False, message=f"Correct these fields: {'; '.join(exc.findings)}.")
    return Check(name="Fields", ok=True, message="All fields are valid and fit each other.")


def _rules(track: Track) -> Check:
    if track.rules.strip():
        return Check(name="Rules", ok=True, message="The rules are written.")
    return Check(name="Rules", ok=False, message="The rules are empty. Write what participants must know.")


def _window(track: Track, now: datetime) -> Check:
    opens, closes = track.opens_at, track.closes_at
    if opens and closes and opens >= closes:
        return Check(
            name="Window", ok=False, message="The window closes before it opens. Change one of the times."
        )
    if closes and track.is_closed(now):
        return Check(name="Window", ok=False, message=f"The window closed at {in_utc(closes)}. Move it.")
    start = f"from {in_utc(opens)}" if opens else "from the moment the track is opened"
    end = f"until {in_utc(closes)}" if closes else "without an end"
    return Check(name="Window", ok=True, message=f"Submissions are taken {start}, {end}.")


def _quota(track: Track) -> Check:
    if track.quota_submissions < 1 or track.quota_window_hours < 1:
        return Check(
            name="Quota", ok=False, message="Allow at least one submission within at least one hour."
        )
    allowed = f"{track.quota_submissions:,} submissions within {track.quota_window_hours:,} hours"
    return Check(name="Quota", ok=True, message=f"Each participant has {allowed}.")


def _metric(track: Track) -> Check:
    fitting = metrics_of(OutputKind(track.output_kind)) if track.output_kind in set(OutputKind) else ()
    unfit = [name for name in (track.metric, *track.extra_metrics) if name not in fitting]
    if unfit:
        message = f"{', '.join(unfit)} cannot score {track.output_kind} output. Choose a metric that fits."
        return Check(name="Metric", ok=False, message=message)
    facts = METRIC_FACTS[Metric(track.metric)]
    direction = "higher" if facts.higher_is_better else "lower"
    return Check(name="Metric", ok=True, message=f"{facts.title} ranks the track; {direction} is better.")


def _class_names(track: Track) -> Check:
    count = len(track.class_names)
    message = f"{count:,} classes have names." if count else "No class has a name; pages show numbers."
    return Check(name="Class names", ok=True, message=message)


def _quantisation(track: Track) -> Iterator[Check]:
    if not track.precision:
        return
    wanted = track.calibration_samples
    if track.dataset is not None:
        wanted = min(wanted, track.dataset.samples - track.dataset.private_samples)
    if not wanted:
        message = (
            f"{track.precision} is calibrated on public samples, and the dataset has none. Import others."
        )
        yield Check(name="Quantisation", ok=False, message=message)
        return
    message = (
        f"Entries are also scored in {track.precision}, calibrated on {wanted:,} public samples; "
        f"the score may lose {track.max_drop_points:g} points."
    )
    yield Check(name="Quantisation", ok=True, message=message)


def _dataset(track: Track) -> Iterator[Check]:
    dataset = track.dataset
    if dataset is None:
        message = "There is no dataset. Import a zip or a server folder."
        yield Check(name="Dataset", ok=False, message=message)
        return
    if not dataset.archive.storage.exists(str(dataset.archive.name)):
        message = "The dataset's archive is not in storage any more. Import it again."
        yield Check(name="Dataset", ok=False, message=message)
        return
    public = dataset.samples - dataset.private_samples
    counts = f"{public:,} public and {dataset.private_samples:,} private samples"
    if track.reader not in dataset.readers:
        found = " or ".join(dataset.readers)
        message = f"“{dataset.name}” holds {found}, and the track reads {track.reader}. Import another."
        yield Check(name="Dataset", ok=False, message=message)
        return
    yield Check(name="Dataset", ok=True, message=f"“{dataset.name}” has {counts}.")
    yield from _truth(track, dataset)


def _truth(track: Track, dataset: Dataset) -> Iterator[Check]:
    kind = OutputKind(track.output_kind) if track.output_kind in set(OutputKind) else OutputKind.LOGITS
    needed = TRUTH_BY_OUTPUT[kind]
    if dataset.truth != needed:
        message = (
            f"{kind} output is scored against {needed}, and the dataset has {dataset.truth}. "
            "Import other data, or correct the output's kind."
        )
        yield Check(name="Labels", ok=False, message=message)
    elif needed is TruthKind.CLASSES:
        yield _labels(track, dataset)
        yield _classes(track, dataset)
    elif needed is TruthKind.BOXES:
        yield _categories(track, dataset)
        yield _boxes(dataset)
    else:
        yield Check(name="Labels", ok=True, message="Every sample has a mask.")


def _labels(track: Track, dataset: Dataset) -> Check:
    last = (max(2, track.output_width) if track.output_kind == OutputKind.LOGITS else 2) - 1
    if dataset.highest_label > last:
        message = (
            f"The highest label is {dataset.highest_label}, and the output allows 0 to {last}. "
            "Correct the labels, or the output's kind and width."
        )
        return Check(name="Labels", ok=False, message=message)
    return Check(name="Labels", ok=True, message=f"Every label is among 0 to {last}.")


def _classes(track: Track, dataset: Dataset) -> Check:
    splits = [split for split in Split if dataset.labels(split)]
    poor = [split.value for split in splits if len(dataset.labels(split)) < 2]
    if poor:
        what = "both classes" if track.output_kind == OutputKind.CONFIDENCE else "at least 2 classes"
        where = " and the ".join(poor)
        message = f"The {where} split needs samples of {what}. Correct labels.csv and import again."
        return Check(name="Classes", ok=False, message=message)
    found = ", ".join(f"{len(dataset.labels(split)):,} in the {split} split" for split in splits)
    return Check(name="Classes", ok=True, message=f"Classes with samples: {found}.")


def _categories(track: Track, dataset: Dataset) -> Check:
    found = dataset.highest_label + 1
    if found != track.output_classes:
        message = f"The dataset has {found:,} categories, and the track {track.output_classes:,} classes."
        return Check(name="Labels", ok=False, message=f"{message} Correct one of them.")
    return Check(name="Labels", ok=True, message=f"Dataset and track have {found:,} classes.")


def _boxes(dataset: Dataset) -> Check:
    splits = [Split.PUBLIC, *([Split.PRIVATE] if dataset.private_samples else [])]
    empty = [split.value for split in splits if not dataset.labels(split)]
    if empty:
        message = (
            f"The {' and the '.join(empty)} split has no box to find. Correct the data and import again."
        )
        return Check(name="Boxes", ok=False, message=message)
    found = ", ".join(f"{sum(dataset.labels(split).values()):,} in the {split} split" for split in splits)
    return Check(name="Boxes", ok=True, message=f"True boxes: {found}.")
