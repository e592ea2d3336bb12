"""A benchmark run from an entry to its report and results. Trusts the track and the data, never the entry.

The stages are the worker's own; what differs is which samples are scored and that they are predicted
in chunks. Split columns are for the site: here every planned sample counts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Final

from scoring import pipeline
from scoring.benchmark.blend import BLENDED, Blend
from scoring.benchmark.chunks import whole_batches
from scoring.benchmark.folder import RunFacts, write_results
from scoring.benchmark.outcomes import chance_of_truth, tells_real_from_rest
from scoring.benchmark.passes import Bench, Finished, run_pass
from scoring.contracts import (
    TRUTH_BY_OUTPUT,
    Metric,
    Package,
    Reader,
    ScoreReport,
    Stage,
    TrackSpec,
    TruthKind,
    Verdict,
)
from scoring.errors import Fault
from scoring.labels import DatasetProblem, read_labels
from scoring.pipeline import Examination
from scoring.plan import DEFAULT_SEED, Mode, SamplePlan, first_of_each_group, make_plan
from scoring.readers import robustness
from scoring.readers.copies import Treatment
from scoring.sandbox.base import Sandbox

CHUNK_SAMPLES: Final = 1_024
BIT_DECIDING: Final = ("torch", "torchvision", "timm", "onnxruntime", "numpy", "opencv-python-headless", "av")
"""Libraries whose version can change the last bits of a prediction or an input."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user chose. Without `results_dir` nothing is kept, and a run cut short begins anew.

    `augmented` is how many samples of each group are scored once more after the robustness suite.
    """

    mode: Mode = Mode.FULL
    seed: int = DEFAULT_SEED
    batch_size: int | None = None
    results_dir: Path | None = None
    chunk_samples: int = CHUNK_SAMPLES
    augmented: int = 0
    augment_level: int = 0
    crop_probability: float = 0.0

    @property
    def treatment(self) -> Treatment:
        """Return the random changes that every sample gets."""
        return Treatment(level=self.augment_level, crop_probability=self.crop_probability)


def run(
    entry: Path,
    track: TrackSpec,
    *,
    data: Path,
    options: Options,
    cache: Path,
    sandbox: Sandbox,
    workdir: Path,
    note: Callable[[Stage], None],
) -> ScoreReport:
    """Score the planned samples, write the results if a folder is given, and return the report.

    Raises only Rejected and Fault, apart from what `note` raises. A sample without an outcome makes
    the whole run void: it is rejected, and no score is written.
    """
    began = datetime.now(UTC)
    track = _with_batch_size(track, options)
    _check_suits(track, options)
    plan = _plan(data, track, options)
    examination = pipeline.examine(entry, track, sandbox=sandbox, workdir=workdir, note=note)
    bench = Bench(
        data=data,
        plan=plan,
        examination=examination,
        run=_what_decides_the_bits(examination, plan, options),
        checkpoint=(options.results_dir or workdir) / "checkpoint",
        chunk_samples=_chunk_samples(options, track),
        cache=cache,
        workdir=workdir,
        tick=lambda: note(Stage.PREDICT),
    )

    bench.tick()
    started = monotonic()
    try:
        base = run_pass("base", bench, range(len(plan.rows)), options.treatment)
        worn = _run_worn(bench, options)
    except OSError as exc:
        raise Fault(f"{type(exc).__name__} while the samples or the results were read or written") from exc
    report = _report(bench, base, worn, predict_s=monotonic() - started)

    if options.results_dir:
        facts = RunFacts(
            entry=entry.name,
            began=began,
            run_id=_run_id(bench, base, worn),
            plan=plan,
            track=bench.track,
        )
        blend = None if worn is None else _blend(base, worn)
        write_results(options.results_dir, facts, report, base=base, worn=worn, blend=blend)
    return report


def _with_batch_size(track: TrackSpec, options: Options) -> TrackSpec:
    if options.batch_size is None:
        return track
    return replace(track, run_limits=replace(track.run_limits, batch_size=options.batch_size))


def _check_suits(track: TrackSpec, options: Options) -> None:
    """Refuse early what the track cannot give a meaning to."""
    if TRUTH_BY_OUTPUT[track.output.kind] is not TruthKind.CLASSES:
        raise Fault("a benchmark run needs a track whose labels are classes; score it without a mode")
    if options.augmented and not tells_real_from_rest(track):
        raise Fault("--augmented needs a track with the metric sn34_score")
    if options.treatment.changes_anything and track.input.reader is Reader.AUDIO:
        raise Fault("--augment-level and --crop-prob are for pictures and video")


def _plan(data: Path, track: TrackSpec, options: Options) -> SamplePlan:
    try:
        table = read_labels(data)
    except DatasetProblem as exc:
        raise Fault(f"the dataset cannot be used: {exc}") from exc
    if table.truth is not TruthKind.CLASSES:
        raise Fault(f"a benchmark run is scored against classes, and the dataset has {table.truth}")
    return make_plan(table, mode=options.mode, reader=track.input.reader, seed=options.seed)


def _run_worn(bench: Bench, options: Options) -> Finished | None:
    if not options.augmented:
        return None
    positions = first_of_each_group(bench.plan, options.augmented)
    return run_pass("worn", bench, positions, replace(options.treatment, worn=True))


def _blend(base: Finished, worn: Finished) -> Blend:
    """Join the two passes; the probability of the truth is compared sample by sample."""
    before = chance_of_truth(base.outcomes, base.labels)[list(worn.positions)]
    return Blend(
        base=base.scores[Metric.SN34_SCORE],
        augmented=worn.scores[Metric.SN34_SCORE],
        degradation=before - chance_of_truth(worn.outcomes, worn.labels),
    )


def _report(bench: Bench, base: Finished, worn: Finished | None, *, predict_s: float) -> ScoreReport:
    checked = bench.examination.report
    parts = [base.part] if worn is None else [base.part, worn.part]
    cpu_s = sum(part.cpu_s for part in parts) / sum(len(part.predictions) for part in parts)
    return replace(
        checked,
        verdict=Verdict.SCORED,
        usage=replace(checked.usage, cpu_s_per_sample=cpu_s),
        scores={**base.scores, **({} if worn is None else {BLENDED: _blend(base, worn).score()})},
        samples=len(bench.plan.rows),
        timings_s={**checked.timings_s, Stage.PREDICT.value: predict_s},
        plan=bench.plan.digest(),
    )


def _chunk_samples(options: Options, track: TrackSpec) -> int:
    return whole_batches(options.chunk_samples, batch_size=track.run_limits.batch_size)


def _what_decides_the_bits(examination: Examination, plan: SamplePlan, options: Options) -> dict[str, object]:
    """Return all that predictions follow from; chunks of runs that differ in it must not be mixed."""
    return {
        "plan": plan.digest(),
        "entry": _package_digest(examination.package),
        "track": examination.track.digest(),
        "chunk_samples": _chunk_samples(options, examination.track),
        "augmented": options.augmented,
        "treatment": asdict(options.treatment),
        "robustness_suite": robustness.VERSION,
        "libraries": {name: version(name) for name in BIT_DECIDING},
    }


def _run_id(bench: Bench, base: Finished, worn: Finished | None) -> str:
    """Name the run after what it computes, so that the same run has the same name."""
    data: Mapping[str, object] = {
        "base": base.dataset_digest,
        "worn": worn.dataset_digest if worn else None,
    }
    canonical = json.dumps([bench.run, data], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _package_digest(package: Package) -> str:
    total = hashlib.sha256()
    for path in sorted(path for path in package.root.rglob("*") if path.is_file()):
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(json.dumps([str(path.relative_to(package.root)), content]).encode())
    return "sha256:" + total.hexdigest()
