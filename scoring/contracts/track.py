"""What a track may ask for: its input, its output, its metrics and its limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from functools import reduce
from operator import getitem
from typing import Final

from scoring.contracts.fields import FieldFacts, places_that_change_no_score, stated

CHANGES_NO_SCORE: Final = stated(FieldFacts(changes_scores=False))


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
CONFIDENCE_THRESHOLD = 0.001
NMS_THRESHOLD = 0.7
"""What a package gets that states none: mean average precision wants nearly all boxes."""
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
    Metric.COCO_MAP: MetricFacts(title="mAP@[.50:.95]", version="2", higher_is_better=True),
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
    track leaves `width` at 0 and `settle` fills it. `class_names` are for people: one name a class in
    the order of their numbers, or none; they change no score.
    """

    kind: OutputKind
    width: int = 0
    classes: int = 0
    box_layout: BoxLayout | None = None
    class_names: tuple[str, ...] = field(default=(), metadata=CHANGES_NO_SCORE)

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


BYTES_A_PARAMETER = 4
BYTES_BESIDE_PARAMETERS = 4 * 2**20
"""Source, documents and pictures of a package, in tracks with a budget on parameters."""


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

    @property
    def max_bytes_with_code(self) -> int | None:
        """Return what the files of a package with code of its own may weigh, None for no limit.

        Such code could be small where it is measured and fetch more weights from a file where it
        predicts; so the files hold no more than the allowed parameters take at four bytes each. A
        track's own `max_package_bytes` stands in place of this.
        """
        if self.max_package_bytes is not None or self.max_parameters is None:
            return self.max_package_bytes
        return BYTES_A_PARAMETER * self.max_parameters + BYTES_BESIDE_PARAMETERS


class Precision(StrEnum):
    """Precisions that a track may ask for beside float: bits of weights, then of activations."""

    W8A8 = "w8a8"


@dataclass(frozen=True, kw_only=True)
class Quantisation:
    """A second score of the same entry with its graph quantised statically on public samples.

    `max_drop_points` is inclusive, in points of a hundred of the ranking metric: a drop from 0.75 to
    0.65 is one of 10 points.
    """

    precision: Precision = Precision.W8A8
    calibration_samples: int = 100
    max_drop_points: float = 10.0


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

    slug: str = field(metadata=CHANGES_NO_SCORE)
    name: str = field(metadata=CHANGES_NO_SCORE)
    formats: tuple[Format, ...]
    input: InputContract
    output: OutputContract
    metric: Metric
    extra_metrics: tuple[Metric, ...] = ()
    budgets: Budgets = field(default_factory=Budgets)
    quantisation: Quantisation | None = None
    archive_limits: ArchiveLimits = field(default_factory=ArchiveLimits)
    run_limits: RunLimits = field(default_factory=RunLimits)

    def digest(self) -> str:
        """Return "sha256:…" of everything in the spec that can change a score or a verdict."""
        facts = asdict(self)
        for place in places_that_change_no_score(TrackSpec):
            *sections, name = place.split(".")
            del reduce(getitem, sections, facts)[name]
        if self.quantisation is None:
            # Tracks without it keep the digest that they had before there was such a thing.
            del facts["quantisation"]
        canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
