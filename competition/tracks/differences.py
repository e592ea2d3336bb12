"""What a track and the site that serves it no longer have in common with a benchmark version.

A version stands for all that decides a score: the dataset, what of the track's document changes a score,
and the versions of reader, metrics and packages. A track differs from it exactly if a difference can be
named; digests are names of versions and are never compared to find out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from competition.tracks.models import BenchmarkVersion, Dataset, Track
from scoring.contracts import METRIC_FACTS, READER_FACTS, TrackSpec, digest_of, values_that_score
from scoring.environment import entry_environment, used_in
from scoring.tracks import InvalidTrack

NOTHING = "–"
DIGEST: Final = "sha256:"


class Aspect(StrEnum):
    """What can differ; as a sentence begins with it."""

    DATASET = "dataset"
    FIELDS = "spec"
    READER = "reader"
    METRICS = "metrics"
    ENVIRONMENT = "environment"


BINDS_WORKERS: Final = frozenset({Aspect.READER, Aspect.METRICS, Aspect.ENVIRONMENT})
"""What a worker brings along: it scores nothing under a version that was published with another one."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not what the benchmark version remembers; `name` is that of a field or package."""

    aspect: Aspect
    name: str
    before: str
    after: str

    @property
    def place(self) -> str:
        """Return where it is, as a line of a table names it."""
        if self.aspect in (Aspect.DATASET, Aspect.FIELDS):
            return self.name
        return f"{self.aspect}: {self.name}"


@dataclass(frozen=True, kw_only=True)
class Versions:
    """Versions by name of what decides scores beside dataset and document."""

    readers: Mapping[str, str]
    metrics: Mapping[str, str]
    environment: Mapping[str, str]

    def of(self, spec: TrackSpec) -> Versions:
        """Return those that the spec uses; entries may use every package of its environment."""
        metrics = (spec.metric, *spec.extra_metrics)
        return Versions(
            readers={spec.input.reader: self.readers[spec.input.reader]},
            metrics={metric: self.metrics[metric] for metric in metrics},
            environment=used_in(spec.environment, self.environment),
        )


def versions_with(environment: Mapping[str, str]) -> Versions:
    """Return the versions of this release of Podium with the packages of an environment."""
    return Versions(
        readers={reader.value: facts.version for reader, facts in READER_FACTS.items()},
        metrics={metric.value: facts.version for metric, facts in METRIC_FACTS.items()},
        environment=environment,
    )


def versions_of(version: BenchmarkVersion) -> Versions:
    """Return the versions that a benchmark version was published under."""
    return Versions(
        readers=_from_text(version.reader_version),
        metrics=_from_text(version.metric_version),
        environment=version.environment,
    )


def as_text(versions: Mapping[str, str]) -> str:
    """Return versions as a column of text holds them: “accuracy=1,brier=1”."""
    return ",".join(f"{name}={version}" for name, version in versions.items())


def identity(dataset: Dataset, spec: TrackSpec, versions: Versions) -> str:
    """Return the digest of a new benchmark version."""
    return digest_of(
        {
            "dataset": dataset.digest,
            "spec": spec.digest(),
            "readers": dict(versions.readers),
            "metrics": dict(versions.metrics),
            "environment": dict(versions.environment),
        }
    )


def differences(track: Track) -> tuple[Difference, ...]:
    """Return what changed in scoring since the track's benchmark version."""
    return () if track.benchmark is None else differences_from(track.benchmark, track)


def differences_from(version: BenchmarkVersion, track: Track) -> tuple[Difference, ...]:
    """Return what of the track, and of what it is scored with today, is not what the version remembers."""
    return (
        *_dataset(version, track),
        *_fields(version, track),
        *changed_versions(versions_of(version), versions_with(entry_environment())),
    )


def changed_versions(before: Versions, now: Versions) -> tuple[Difference, ...]:
    """Return what was used before and has another version now."""
    return (
        *_changed(Aspect.READER, before.readers, now.readers),
        *_changed(Aspect.METRICS, before.metrics, now.metrics),
        *_changed(Aspect.ENVIRONMENT, before.environment, now.environment),
    )


def in_words(differences: Iterable[Difference], version: BenchmarkVersion) -> tuple[str, ...]:
    """Return a sentence for each aspect: “The environment changed since version 3: torch 2.13.0 -> 2.14.1.”"""
    return tuple(
        f"The {aspect} changed since version {version.number}: {', '.join(map(_change, changes))}."
        for aspect, changes in groupby(differences, key=lambda difference: difference.aspect)
    )


def _dataset(version: BenchmarkVersion, track: Track) -> Iterator[Difference]:
    before, after = version.dataset, track.dataset
    if after is None or after.digest != before.digest:
        yield Difference(aspect=Aspect.DATASET, name="dataset", before=_named(before), after=_named(after))


def _fields(version: BenchmarkVersion, track: Track) -> Iterator[Difference]:
    try:
        before, after = values_that_score(version.document().spec), values_that_score(track.spec())
    except InvalidTrack as exc:
        yield Difference(aspect=Aspect.FIELDS, name="fields", before="valid", after=f"not valid: {exc}")
        return
    for place in sorted(before.keys() | after.keys()):
        # An optional section that is not there has no places, which is something else than None.
        if place in before and place in after and before[place] == after[place]:
            continue
        values = before.get(place), after.get(place)
        yield Difference(aspect=Aspect.FIELDS, name=place, before=_shown(values[0]), after=_shown(values[1]))


def _changed(aspect: Aspect, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    for name, version in before.items():
        if now.get(name) != version:
            yield Difference(
                aspect=aspect, name=name, before=_short(version), after=_short(now.get(name, NOTHING))
            )


def _change(difference: Difference) -> str:
    named = "" if difference.aspect is Aspect.DATASET else f"{difference.name} "
    return f"{named}{difference.before} -> {difference.after}"


def _named(dataset: Dataset | None) -> str:
    """Return a dataset's name with the beginning of its digest: imported again, it keeps its name."""
    return NOTHING if dataset is None else f"{dataset} {_short(dataset.digest)}"


def _short(version: str) -> str:
    """Return a version as people compare it: of a digest, the beginning."""
    return version.removeprefix(DIGEST)[:8] if version.startswith(DIGEST) else version


def _shown(value: Any) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, list):
        return ", ".join("any" if item is None else str(item) for item in value) or NOTHING
    return f"{value:,}" if isinstance(value, int) else str(value)


def _from_text(text: str) -> dict[str, str]:
    return {name: version for name, _, version in (part.partition("=") for part in text.split(",")) if name}
