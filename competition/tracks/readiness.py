"""What must be so before a track opens: each check with a tick, or with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from competition.clock import database_now
from competition.moments import in_utc
from competition.tracks.models import Dataset, Track
from scoring import environment
from scoring.contracts import (
    DEFAULT_ENVIRONMENT,
    METRIC_FACTS,
    TRUTH_BY_OUTPUT,
    OutputContract,
    OutputKind,
    Split,
    TrackSpec,
    TruthKind,
)
from scoring.tracks import InvalidTrack, TrackPage


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that must be so; the message says what is found and, if it failed, what to do."""

    name: str
    ok: bool
    message: str


def examine(track: Track, *, now: datetime | None = None) -> tuple[Check, ...]:
    """Return every check of the track, in the order of the form; fields that are not valid leave no others."""
    try:
        document = track.document()
    except InvalidTrack as exc:
        message = f"Correct these fields: {'; '.join(exc.findings)}."
        return (Check(name="Fields", ok=False, message=message),)
    spec = document.spec
    return (
        Check(name="Fields", ok=True, message="All fields are valid and fit together."),
        _rules(document.page),
        _window(track, now or database_now()),
        _quota(document.page),
        _metric(spec),
        _class_names(spec),
        *environment_checks(spec),
        *_quantisation(spec, track.dataset),
        *_dataset(spec, track.dataset),
    )


def _rules(page: TrackPage) -> Check:
    if page.rules.strip():
        return Check(name="Rules", ok=True, message="The track has rules.")
    return Check(name="Rules", ok=False, message="The rules are empty. Write what participants need to know.")


def _window(track: Track, now: datetime) -> Check:
    opens, closes = track.opens_at, track.closes_at
    if closes and track.is_closed(now):
        return Check(
            name="Window", ok=False, message=f"The window closed at {in_utc(closes)}. Choose a later time."
        )
    start = f"from {in_utc(opens)}" if opens else "as soon as it is open"
    end = f"until {in_utc(closes)}" if closes else "with no closing date"
    return Check(name="Window", ok=True, message=f"The track accepts submissions {start}, {end}.")


def _quota(page: TrackPage) -> Check:
    allowed = f"{page.quota_submissions:,} submissions in {page.quota_window_hours:,} hours"
    return Check(name="Quota", ok=True, message=f"Each participant may make {allowed}.")


def _metric(spec: TrackSpec) -> Check:
    facts = METRIC_FACTS[spec.metric]
    direction = "higher" if facts.higher_is_better else "lower"
    return Check(name="Metric", ok=True, message=f"{facts.title} ranks the track; {direction} is better.")


def _class_names(spec: TrackSpec) -> Check:
    count = len(spec.output.class_names)
    message = f"{count:,} classes have names." if count else "The classes have no names; pages show numbers."
    return Check(name="Class names", ok=True, message=message)


def environment_checks(spec: TrackSpec) -> Iterator[Check]:
    """Yield what is to be said of an environment that the track names; workers may be other machines."""
    name = spec.environment
    if name == DEFAULT_ENVIRONMENT:
        return
    pinned = environment.pins(name)
    if pinned is None:
        others = ", ".join((DEFAULT_ENVIRONMENT, *environment.known()))
        message = f"This site has no list “{name}”. Choose another environment ({others}), or add the list."
        yield Check(name="Environment", ok=False, message=message)
        return
    unfit = environment.unfit_pins(pinned)
    if unfit:
        message = f"“{name}” does not fit this release of Podium: {'; '.join(unfit)}."
        yield Check(name="Environment", ok=False, message=message)
        return
    message = (
        f"Entries can import the {len(pinned):,} packages of “{name}”. A worker that lacks them leaves this track's "
        f"entries in the queue: run `podium environment install {name}` on it."
    )
    yield Check(name="Environment", ok=True, message=message)


def _quantisation(spec: TrackSpec, dataset: Dataset | None) -> Iterator[Check]:
    asked = spec.quantisation
    if asked is None:
        return
    wanted = asked.calibration_samples
    if dataset is not None:
        wanted = min(wanted, dataset.samples - dataset.private_samples)
    if not wanted:
        message = f"{asked.precision} is calibrated on public samples, but the dataset has none. Import one that does."
        yield Check(name="Quantisation", ok=False, message=message)
        return
    message = (
        f"Entries are also scored in {asked.precision}, calibrated on {wanted:,} public samples; "
        f"the score may lose {asked.max_drop_points:g} points."
    )
    yield Check(name="Quantisation", ok=True, message=message)


def _dataset(spec: TrackSpec, dataset: Dataset | None) -> Iterator[Check]:
    if dataset is None:
        message = "The track has no dataset. Import a zip or a server folder."
        yield Check(name="Dataset", ok=False, message=message)
        return
    if not dataset.archive.storage.exists(str(dataset.archive.name)):
        message = "The dataset's archive is missing from storage. Import the dataset again."
        yield Check(name="Dataset", ok=False, message=message)
        return
    public = dataset.samples - dataset.private_samples
    counts = f"{public:,} public and {dataset.private_samples:,} private samples"
    if spec.input.reader not in dataset.readers:
        found = " or ".join(dataset.readers)
        message = f"“{dataset.name}” holds {found}, but the track reads {spec.input.reader}. Import another dataset."
        yield Check(name="Dataset", ok=False, message=message)
        return
    yield Check(name="Dataset", ok=True, message=f"“{dataset.name}” has {counts}.")
    yield from _truth(spec.output, dataset)


def _truth(output: OutputContract, dataset: Dataset) -> Iterator[Check]:
    needed = TRUTH_BY_OUTPUT[output.kind]
    if dataset.truth != needed:
        message = (
            f"{output.kind} output is scored against {needed}, but the dataset has {dataset.truth}. "
            "Import another dataset, or correct the kind of output."
        )
        yield Check(name="Labels", ok=False, message=message)
    elif needed is TruthKind.CLASSES:
        yield _labels(output, dataset)
        yield _classes(output, dataset)
    elif needed is TruthKind.BOXES:
        yield _categories(output, dataset)
        yield _boxes(dataset)
    else:
        yield Check(name="Labels", ok=True, message="Every sample has a mask.")


def _labels(output: OutputContract, dataset: Dataset) -> Check:
    last = (max(2, output.width) if output.kind is OutputKind.LOGITS else 2) - 1
    if dataset.highest_label > last:
        message = (
            f"The highest label is {dataset.highest_label}, but the output allows only 0 to {last}. "
            "Correct the labels, or the kind and width of the output."
        )
        return Check(name="Labels", ok=False, message=message)
    return Check(name="Labels", ok=True, message=f"Every label is from 0 to {last}.")


def _classes(output: OutputContract, dataset: Dataset) -> Check:
    splits = [split for split in Split if dataset.labels(split)]
    poor = [split.value for split in splits if len(dataset.labels(split)) < 2]
    if poor:
        what = "both classes" if output.kind is OutputKind.CONFIDENCE else "at least 2 classes"
        where = " and the ".join(poor)
        message = (
            f"The {where} split needs samples of {what}. Correct labels.csv and import the dataset again."
        )
        return Check(name="Classes", ok=False, message=message)
    found = ", ".join(f"{len(dataset.labels(split)):,} in the {split} split" for split in splits)
    return Check(name="Classes", ok=True, message=f"Classes with samples: {found}.")


def _categories(output: OutputContract, dataset: Dataset) -> Check:
    found = dataset.highest_label + 1
    if found != output.classes:
        message = f"The dataset has {found:,} categories, but the track has {output.classes:,} classes."
        return Check(name="Labels", ok=False, message=f"{message} Correct one of them.")
    return Check(name="Labels", ok=True, message=f"Dataset and track both have {found:,} classes.")


def _boxes(dataset: Dataset) -> Check:
    splits = [Split.PUBLIC, *([Split.PRIVATE] if dataset.private_samples else [])]
    empty = [split.value for split in splits if not dataset.labels(split)]
    if empty:
        message = f"The {' and the '.join(empty)} split has no boxes. Correct the data and import it again."
        return Check(name="Boxes", ok=False, message=message)
    found = ", ".join(f"{sum(dataset.labels(split).values()):,} in the {split} split" for split in splits)
    return Check(name="Boxes", ok=True, message=f"True boxes: {found}.")
