"""What makes two benchmark runs the same: all that their predictions and their scores follow from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version

from scoring.benchmark.options import Options
from scoring.benchmark.plan import SamplePlan
from scoring.contracts import Package
from scoring.environment import DECISIVE, digest_by_key
from scoring.flow.pipeline import Examination
from scoring.readers import augmentation, robustness


def identity(examination: Examination, plan: SamplePlan, options: Options) -> dict[str, object]:
    """Return all that a run follows from but the data; chunks of runs that differ in it must not be mixed."""
    return {
        "plan": plan.digest(),
        "entry": _package_digest(examination.model.package),
        "track": examination.model.track.digest(),
        "chunk_samples": options.whole_chunk(examination.model.track),
        "augmented": options.augmented,
        "treatment": asdict(options.treatment),
        # They change no prediction, but results of one folder under other shares would be another score.
        "shares": None if options.shares is None else asdict(options.shares),
        "random_changes": augmentation.VERSION,
        "robustness_suite": robustness.VERSION,
        "libraries": {name: version(name) for name in DECISIVE}
        | digest_by_key(examination.model.track.environment),
    }


def run_id(run: Mapping[str, object], *, base: str, worn: str | None) -> str:
    """Name a run after what it computes; `base` and `worn` are the digests of the data of its passes."""
    canonical = json.dumps([run, {"base": base, "worn": worn}], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _package_digest(package: Package) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in package.root.rglob("*") if path.is_file()):
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(json.dumps([str(path.relative_to(package.root)), content]).encode())
    return "sha256:" + total.hexdigest()
