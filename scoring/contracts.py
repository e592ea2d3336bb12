"""Words that every part of Podium shares: enums and frozen dataclasses, standard library only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

# --- what a track may ask for ------------------------------------------------------------------


class Format(StrEnum):
    """Package formats; each has one module in `scoring.packages` and one loader in `scoring.sandboxed`."""

    CVPR_ZIP = "cvpr-zip"
    ONNX = "onnx"
    QAIHUB = "qaihub"
    BYOM = "byom"
    GASBENCH = "gasbench"


class Dtype(StrEnum):
    """Element types that a model may be given."""

    FLOAT32 = "float32"
    UINT8 = "uint8"


class ChannelOrder(StrEnum):
    """Order of the three colour planes."""

    BGR = "bgr"
    RGB = "rgb"


class Reader(StrEnum):
    """Readers of organisers' data; each has one module in `scoring.readers`."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"


def stored_dtype(reader: Reader) -> Dtype:
    """Return the element type of a reader's array file: bytes for pixels, floats from -1 to 1 for sound."""
    return Dtype.FLOAT32 if reader is Reader.AUDIO else Dtype.UINT8


class Fit(StrEnum):
    """How a picture of another size and aspect is brought to height x width."""

    STRETCH = "stretch"
    SHORTEST_EDGE_THEN_CENTRE_CROP = "shortest-edge-then-centre-crop"
    CROP_TO_ASPECT_THEN_RESIZE = "crop-to-aspect-then-resize"


class OutputKind(StrEnum):
    """What the numbers a model returns mean; declared by the track, never guessed from values."""

    LOGITS = "logits"
    CONFIDENCE = "confidence"
    CLASS_MAP = "class_map"
    BOXES = "boxes"


class BoxLayout(StrEnum):
    """How a model writes boxes down, in pixels of its input; declared, never guessed from values.

    `YOLO`: (N, 4 + classes, anchors), centre x, centre y, width, height, then one score a class.
    `CORNERS`: (N, boxes, 6), left, top, right, bottom, score, class.
    """

    YOLO = "yolo"
    CORNERS = "corners"


class TruthKind(StrEnum):
    """What a dataset says of each sample; each output kind is scored against exactly one."""

    CLASSES = "classes"
    MASKS = "masks"
    BOXES = "boxes"


TRUTH_BY_OUTPUT: Mapping[OutputKind, TruthKind] = {
    OutputKind.LOGITS: TruthKind.CLASSES,
    OutputKind.CONFIDENCE: TruthKind.CLASSES,
    OutputKind.CLASS_MAP: TruthKind.MASKS,
    OutputKind.BOXES: TruthKind.BOXES,
}
IGNORED_CLASS = 255
"""A mask's value for pixels that nobody is scored on."""
MAX_BOXES = 300
BOX_FIELDS = 6
"""left, top, right, bottom, score, class: what one box takes in a row of outputs."""


class Metric(StrEnum):
    """Metrics; each has one entry in `scoring.metrics.METRICS`."""

    ACCURACY = "accuracy"
    TOP5_ACCURACY = "top5_accuracy"
    BEST_F1 = "best_f1"
    MIOU = "miou"
    PIXEL_ACCURACY = "pixel_accuracy"
    COCO_MAP = "coco_map"
    SN34_SCORE = "sn34_score"
    SN34_MULTICLASS = "sn34_multiclass"
    MCC = "mcc"
    BRIER = "brier"
    CROSS_ENTROPY = "cross_entropy"
    MACRO_F1 = "macro_f1"
    BALANCED_ACCURACY = "balanced_accuracy"
    AUROC = "auroc"
    F1_AT_THRESHOLD = "f1_at_threshold"


@dataclass(frozen=True, kw_only=True)
class MetricFacts:
    """What a page or a board must know of a metric without computing it."""

    title: str
    version: str
    higher_is_better: bool


METRIC_FACTS: Mapping[Metric, MetricFacts] = {
    Metric.ACCURACY: MetricFacts(title="Accuracy", version="1", higher_is_better=True),
    Metric.TOP5_ACCURACY: MetricFacts(title="Top-5 accuracy", version="1", higher_is_better=True),
    Metric.BEST_F1: MetricFacts(title="Best F1", version="1", higher_is_better=True),
    Metric.MIOU: MetricFacts(title="Mean IoU", version="1", higher_is_better=True),
    Metric.PIXEL_ACCURACY: MetricFacts(title="Pixel accuracy", version="1", higher_is_better=True),
    Metric.COCO_MAP: MetricFacts(title="mAP@[.50:.95]", version="1", higher_is_better=True),
    Metric.SN34_SCORE: MetricFacts(title="SN34 score", version="1", higher_is_better=True),
    Metric.SN34_MULTICLASS: MetricFacts(title="SN34 score, multiclass", version="1", higher_is_better=True),
    Metric.MCC: MetricFacts(title="MCC", version="1", higher_is_better=True),
    Metric.BRIER: MetricFacts(title="Brier score", version="1", higher_is_better=False),
    Metric.CROSS_ENTROPY: MetricFacts(title="Cross-entropy", version="1", higher_is_better=False),
    Metric.MACRO_F1: MetricFacts(title="Macro F1", version="1", higher_is_better=True),
    Metric.BALANCED_ACCURACY: MetricFacts(title="Balanced accuracy", version="1", higher_is_better=True),
    Metric.AUROC: MetricFacts(title="AUROC", version="1", higher_is_better=True),
    Metric.F1_AT_THRESHOLD: MetricFacts(
        title="F1 at the package's threshold", version="1", higher_is_better=True
    ),
}


class Split(StrEnum):
    """Halves of a dataset: scores of the public one are shown at once."""

    PUBLIC = "public"
    PRIVATE = "private"


class PrivateScores(StrEnum):
    """When participants see scores of the private split."""

    NEVER = "never"
    AFTER_CLOSE = "after_close"
    ALWAYS = "always"


@dataclass(frozen=True, kw_only=True)
class InputContract:
    """What the model receives: a batch of shape (N, *shape), `dtype`, values from low to high.

    Shapes are (3, H, W) for images, (T, 3, H, W) for video, (samples,) for audio. `None` stands for a
    side that the package states; `PackageFormat.settle` fills it, and later stages never see one.
    `mean` and `std`, one value a channel, are applied last. `frame_rate` thins video (None: every
    frame); `sample_rate` is that of audio, in Hz.
    """

    reader: Reader = Reader.IMAGE
    shape: tuple[int | None, ...] = (3, 224, 224)
    dtype: Dtype = Dtype.FLOAT32
    low: float = 0.0
    high: float = 1.0
    channel_order: ChannelOrder = ChannelOrder.BGR
    fit: Fit = Fit.STRETCH
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    frame_rate: float | None = None
    sample_rate: int = 16_000

    def sides(self) -> tuple[int, ...]:
        """Return the shape, which must be settled."""
        sides = tuple(side for side in self.shape if side is not None)
        if len(sides) != len(self.shape):
            raise ValueError(f"the package has not settled the shape {self.shape}")
        return sides


@dataclass(frozen=True, kw_only=True)
class OutputContract:
    """What the model returns, and how many numbers it comes down to for one sample.

    Logits and confidences are a floating tensor (N, width). A class map is (N, classes, height, width)
    floating, or (N, height, width) integer; boxes are laid out as `box_layout` says. For these two the
    track leaves `width` at 0 and `settle` fills it.
    """

    kind: OutputKind
    width: int = 0
    classes: int = 0
    box_layout: BoxLayout | None = None

    def settle(self, contract: InputContract) -> OutputContract:
        """Return the contract with the width that follows from its kind and the settled input."""
        if self.kind is OutputKind.CLASS_MAP:
            *_, height, width = contract.sides()
            return replace(self, width=height * width)
        if self.kind is OutputKind.BOXES:
            return replace(self, width=MAX_BOXES * BOX_FIELDS)
        return self

    def expected_shape(self, batch: int | str, contract: InputContract) -> str:
        """Return the shape that the model is to return for a batch, as participants read it."""
        if self.kind is OutputKind.CLASS_MAP:
            *_, height, width = ("any" if side is None else side for side in contract.shape)
            return f"({batch}, {self.classes}, {height}, {width})"
        if self.box_layout is BoxLayout.YOLO:
            return f"({batch}, {4 + self.classes}, anchors)"
        if self.box_layout is BoxLayout.CORNERS:
            return f"({batch}, boxes, {BOX_FIELDS})"
        return f"({batch}, {self.width})"


@dataclass(frozen=True, kw_only=True)
class Budgets:
    """What a package may use. `None` means no limit.

    `max_parameters` is inclusive ("no more than"), `max_macs` is strict ("lower than"), as the
    CVPR 2022 rules word them. MACs are multiply-adds of one sample at batch 1. `max_latency_ms`, also
    inclusive, is a gate on the median time of one sample: beyond it an entry is listed and not ranked.
    """

    max_parameters: int | None = None
    max_macs: int | None = None
    max_package_bytes: int | None = None
    max_latency_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """Bounds on unpacking. Byte counts are of bytes really read, never of declared sizes."""

    max_entry_bytes: int = 512 * 2**20
    max_unpacked_bytes: int = 2 * 2**30
    max_files: int = 2_000
    max_depth: int = 16
    max_ratio: float = 200.0


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """Bounds on one run in the sandbox. `threads` is fixed by the track so that scores repeat."""

    max_memory_bytes: int = 6 * 2**30
    max_processes: int = 256
    max_file_bytes: int = 512 * 2**20
    max_tmp_bytes: int = 512 * 2**20
    max_log_bytes: int = 2**20
    measure_timeout_s: float = 300.0
    predict_timeout_s: float = 3_600.0
    threads: int = 2
    batch_size: int = 32
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class TrackSpec:
    """All that the scoring flow needs to know of a track."""

    slug: str
    name: str
    formats: tuple[Format, ...]
    input: InputContract
    output: OutputContract
    metric: Metric
    extra_metrics: tuple[Metric, ...] = ()
    budgets: Budgets = field(default_factory=Budgets)
    archive_limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    run_limits: RunLimits = field(default_factory=RunLimits)

    def digest(self) -> str:
        """Return "sha256:…" of everything in the spec that can change a score or a verdict."""
        facts = asdict(self)
        del facts["slug"], facts["name"]
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()


# --- how an entry flows ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class UnpackedFile:
    """One regular file of an unpacked entry: its path with forward slashes, relative to the root."""

    path: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """An entry as a folder of plain files, every name checked; `files` are sorted by path."""

    root: Path
    files: tuple[UnpackedFile, ...]
    package_bytes: int


class Stage(StrEnum):
    """Stages of the flow, in order; `note(stage)` announces each."""

    INTAKE = "intake"
    INSPECT = "inspect"
    MEASURE = "measure"
    ENFORCE = "enforce"
    PREDICT = "predict"
    METRIC = "metric"


class Status(StrEnum):
    """Life of an evaluation. `Stage` is progress, a code says why; the three never overlap."""

    QUEUED = "queued"
    RUNNING = "running"
    SCORED = "scored"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """What `podium check` and `podium score` conclude."""

    ACCEPTED = "accepted"
    SCORED = "scored"
    REJECTED = "rejected"
    FAULT = "fault"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing found in an entry: a code of `scoring.errors`, where, and the numbers.

    Text is rendered from the table (`scoring.errors.render`), never stored by a stage.
    """

    code: str
    path: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What was measured on one package; compared with `Budgets` by `scoring.budget.enforce`."""

    parameters: int
    trainable_parameters: int
    macs: int
    macs_by_counter: Mapping[str, int | None]
    uncounted_ops: tuple[str, ...] = ()
    package_bytes: int = 0
    cpu_s_per_sample: float | None = None
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Package:
    """An entry unpacked and recognised as one format.

    `root` is the folder on disk, `main` the file in it that is loaded (`model.py`, `net.onnx`),
    relative to root. `package_bytes` is the sum of the sizes of all its files. `not_formats` says of
    each other format why the entry is not one.
    """

    format: Format
    root: Path
    main: str
    package_bytes: int
    warnings: tuple[Finding, ...] = ()
    not_formats: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """Why an entry is not of some format; `findings` name what would have to change, if that is clear."""

    why: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StaticCounts:
    """Counts that ran nobody's code. `None` where the format cannot tell without running."""

    parameters: int | None = None
    macs: int | None = None
    uncounted_ops: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Settled:
    """A track as one package meets it: sides that it may choose are filled in from its own words.

    `options` are plain JSON values for the format's loader; the trusted side read and checked them.
    `counts` are what reading the package's files told by the way, such as a weights file's header.
    """

    track: TrackSpec
    options: Mapping[str, object] = field(default_factory=dict)
    counts: StaticCounts = field(default_factory=StaticCounts)
    warnings: tuple[Finding, ...] = ()


class PackageFormat(Protocol):
    """The trusted side of one format, a module of `scoring.packages`: looks at files, never runs them."""

    def match(self, unpacked: Unpacked) -> Package | Mismatch:
        """Say whether the files are laid out as this format."""

    def check(self, package: Package, track: TrackSpec) -> tuple[Finding, ...]:
        """Return warnings beyond the package's own; raise `Rejected` with every problem that shows."""

    def settle(self, package: Package, track: TrackSpec) -> Settled:
        """Fill in what the package may choose; called after `check` went through."""


@dataclass(frozen=True, kw_only=True)
class ScoreValue:
    """One score with its 95 % confidence interval; `details` holds e.g. the threshold of best F1."""

    value: float
    ci: tuple[float, float]
    higher_is_better: bool
    version: str
    details: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Share:
    """How many samples of one part were called right."""

    samples: int
    correct: int
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class Breakdown:
    """Where an entry is right and wrong, in samples of the public split.

    Rows of `confusion` are labels, columns the classes called; it is empty where there are many.
    """

    by_label: Mapping[str, Share]
    by_group: Mapping[str, Share]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class ScoreReport:
    """What the flow returns when it neither rejects nor faults."""

    verdict: Verdict
    format: Format
    track: str
    benchmark: str | None
    usage: Usage
    warnings: tuple[Finding, ...] = ()
    scores: Mapping[str, ScoreValue] = field(default_factory=dict)
    private_scores: Mapping[str, ScoreValue] = field(default_factory=dict)
    breakdown: Breakdown | None = None
    samples: int = 0
    timings_s: Mapping[str, float] = field(default_factory=dict)
    log: str = ""
    isolated: bool = True
    plan: str | None = None
    not_formats: Mapping[str, str] = field(default_factory=dict)


# --- between the worker and the sandbox --------------------------------------------------------


class Task(StrEnum):
    """What a sandbox is asked to do. `CALIBRATE` runs no entry: it times known work."""

    MEASURE = "measure"
    PREDICT = "predict"
    CALIBRATE = "calibrate"
    LATENCY = "latency"
    EXPORT = "export"

    @property
    def may_tell(self) -> bool:
        """Say whether the entry's own words may be shown: it sees nothing that is hidden."""
        return self in {Task.MEASURE, Task.EXPORT}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the child process is told; crosses as JSON. It names no label, file name or host path."""

    task: Task
    format: Format
    main: str
    input: InputContract
    output: OutputContract
    samples: int
    batch_size: int
    threads: int
    seed: int
    options: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the request as the child reads it."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Request:
        """Read what `to_json` wrote; only the trusted side writes requests."""
        raw = json.loads(text)
        contract = raw["input"]
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in contract.items()
        }
        enums = {"reader": Reader, "dtype": Dtype, "channel_order": ChannelOrder, "fit": Fit}
        given |= {name: enum(contract[name]) for name, enum in enums.items()}
        return cls(
            task=Task(raw["task"]),
            format=Format(raw["format"]),
            main=raw["main"],
            input=InputContract(**given),
            output=OutputContract(**{**raw["output"], **_output_enums(raw["output"])}),
            samples=raw["samples"],
            batch_size=raw["batch_size"],
            threads=raw["threads"],
            seed=raw["seed"],
            options=raw["options"],
        )


def _output_enums(raw: Mapping[str, Any]) -> dict[str, OutputKind | BoxLayout | None]:
    layout = raw["box_layout"]
    return {
        "kind": OutputKind(raw["kind"]),
        "box_layout": None if layout is None else BoxLayout(layout),
    }


STARTED_REPLY = b'{"outcome": "started"}'
"""What the child writes once its own libraries are loaded, just before it turns to the entry.

A child that ends without it was never able to start: a fault of ours, and not a crash of the entry.
"""


class Outcome(StrEnum):
    """How the child says a request ended; the reply's `outcome` field, hostile like the rest of it."""

    OK = "ok"
    LOAD_FAILED = "load_failed"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    WRONG_OUTPUT_KIND = "wrong_output_kind"
    WRONG_OUTPUT_SHAPE = "wrong_output_shape"
    WRONG_OUTPUT_COUNT = "wrong_output_count"
    NOT_FINITE = "not_finite"
    EXPORT_FAILED = "export_failed"
