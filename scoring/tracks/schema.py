"""The schema of a track.yaml: types, ranges, and which parts go together."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from scoring.contracts import (
    IGNORED_CLASS,
    ArchiveLimits,
    BoxLayout,
    Budgets,
    ChannelOrder,
    Dtype,
    Fit,
    Format,
    InputContract,
    Metric,
    OutputContract,
    OutputKind,
    Precision,
    PrivateScores,
    Quantisation,
    Reader,
    RunLimits,
    TrackSpec,
)
from scoring.tracks.document import TrackPage

METRICS_BY_OUTPUT: Final = {
    OutputKind.LOGITS: frozenset(
        {
            Metric.ACCURACY,
            Metric.TOP5_ACCURACY,
            Metric.SN34_SCORE,
            Metric.SN34_MULTICLASS,
            Metric.MCC,
            Metric.BRIER,
            Metric.CROSS_ENTROPY,
            Metric.MACRO_F1,
            Metric.BALANCED_ACCURACY,
        }
    ),
    OutputKind.CONFIDENCE: frozenset({Metric.BEST_F1, Metric.AUROC, Metric.F1_AT_THRESHOLD}),
    OutputKind.CLASS_MAP: frozenset({Metric.MIOU, Metric.PIXEL_ACCURACY}),
    OutputKind.BOXES: frozenset({Metric.COCO_MAP}),
}
DROPPABLE_METRICS: Final = frozenset(Metric) - {Metric.BRIER, Metric.CROSS_ENTROPY}
"""Metrics from 0 (or -1) to 1, higher is better: a drop of 0.1 is one of 10 points."""
ONE_LOGIT_METRICS: Final = frozenset({Metric.SN34_SCORE, Metric.MCC, Metric.BRIER, Metric.CROSS_ENTROPY})
"""What can score logits of width 1: a single column, the logit of class 1."""

Positive = Annotated[int, Field(gt=0, strict=True)]
Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]


def _one_line(name: str) -> str:
    if name != name.strip() or len(name.splitlines()) != 1:
        raise ValueError("a name is one line without blanks at its ends")
    return name


ClassName = Annotated[str, Field(max_length=80), AfterValidator(_one_line)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


SPATIAL: Final = frozenset({OutputKind.CLASS_MAP, OutputKind.BOXES})
SIDES: Final = {
    Reader.IMAGE: ("channels", "height", "width"),
    Reader.VIDEO: ("frames", "channels", "height", "width"),
    Reader.AUDIO: ("samples",),
}
MAX_FRAMES: Final = 64
SOUND: Final = (Dtype.FLOAT32, -1.0, 1.0)


class _Input(_Section):
    reader: Reader = Reader.IMAGE
    shape: tuple[Positive | None, ...] = (3, 224, 224)
    dtype: Dtype = Dtype.FLOAT32
    low: float = 0.0
    high: float = 1.0
    channel_order: ChannelOrder = ChannelOrder.BGR
    fit: Fit = Fit.STRETCH
    mean: tuple[float, ...] | None = None
    std: tuple[Annotated[float, Field(gt=0)], ...] | None = None
    frame_rate: Annotated[float, Field(gt=0)] | None = None
    sample_rate: Positive = 16_000

    @model_validator(mode="after")
    def _check(self) -> _Input:
        sides = SIDES[self.reader]
        if len(self.shape) != len(sides):
            raise ValueError(f"shape lists {', '.join(sides)}; {len(self.shape)} numbers are given")
        if "channels" in sides and self.shape[sides.index("channels")] != 3:
            raise ValueError(f"pictures have 3 channels, not {self.shape[sides.index('channels')]}")
        if self.reader is Reader.VIDEO and (self.shape[0] or 1) > MAX_FRAMES:
            raise ValueError(f"video has from 1 to {MAX_FRAMES} frames, not {self.shape[0]}")
        if self.reader is Reader.AUDIO and (self.dtype, self.low, self.high) != SOUND:
            raise ValueError("audio input is float32 with low -1 and high 1")
        if self.reader is Reader.AUDIO and self.mean is not None:
            raise ValueError("mean and std are for pictures; audio is given as it is")
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std go together")
        if not self.low < self.high:
            raise ValueError(f"low ({self.low:g}) must be below high ({self.high:g})")
        if self.dtype is Dtype.UINT8 and (self.low, self.high) != (0.0, 255.0):
            raise ValueError("uint8 input has low 0 and high 255")
        return self


class _Output(_Section):
    kind: OutputKind
    width: Annotated[int, Field(ge=0, strict=True)] = 0
    classes: Annotated[int, Field(ge=0, lt=IGNORED_CLASS, strict=True)] = 0
    box_layout: BoxLayout | None = None
    class_names: tuple[ClassName, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> _Output:
        if self.kind is OutputKind.CONFIDENCE and self.width != 1:
            raise ValueError(f"a confidence output has width 1, not {self.width}")
        if self.kind is OutputKind.LOGITS and self.width < 1:
            raise ValueError("logits need a width")
        if self.kind is OutputKind.CLASS_MAP and self.classes < 2:
            raise ValueError("a class map needs at least 2 classes")
        if self.kind is OutputKind.BOXES and self.classes < 1:
            raise ValueError("boxes need at least 1 class")
        if self.kind in SPATIAL and self.width:
            raise ValueError(f"the width of {self.kind} output follows from the input; leave it out")
        if self.kind not in SPATIAL and self.classes:
            raise ValueError(f"{self.kind} output states its classes by its width; leave classes out")
        if (self.kind is OutputKind.BOXES) != (self.box_layout is not None):
            raise ValueError("box_layout (yolo or corners) goes with boxes, and only with them")
        return self

    @field_validator("class_names")
    @classmethod
    def _check_names(cls, names: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
        if len(set(names)) != len(names):
            raise ValueError("a name is listed twice")
        if not {"width", "classes"} <= others.data.keys():
            return names
        # One column, a confidence or a single logit, tells two classes apart.
        classes = others.data["classes"] or max(others.data["width"], 2)
        if names and len(names) != classes:
            raise ValueError(f"{len(names)} names are listed; there are {classes} classes")
        return names


class _Budgets(_Section):
    max_parameters: Positive | None = None
    max_macs: Positive | None = None
    max_package_bytes: Positive | None = None
    max_latency_ms: Annotated[float, Field(gt=0, le=3_600_000)] | None = None


class _Quantisation(_Section):
    precision: Precision = Precision.W8A8
    calibration_samples: Annotated[int, Field(ge=1, le=10_000, strict=True)] = (
        Quantisation.calibration_samples
    )
    max_drop_points: Annotated[float, Field(ge=0, le=100)] = Quantisation.max_drop_points


class _ArchiveLimits(_Section):
    max_entry_bytes: Positive = ArchiveLimits.max_entry_bytes
    max_unpacked_bytes: Positive = ArchiveLimits.max_unpacked_bytes
    max_files: Positive = ArchiveLimits.max_files
    max_depth: Positive = ArchiveLimits.max_depth
    max_ratio: Annotated[float, Field(gt=1)] = ArchiveLimits.max_ratio


class _RunLimits(_Section):
    max_memory_bytes: Positive = RunLimits.max_memory_bytes
    max_processes: Positive = RunLimits.max_processes
    max_file_bytes: Positive = RunLimits.max_file_bytes
    max_tmp_bytes: Positive = RunLimits.max_tmp_bytes
    max_log_bytes: Positive = RunLimits.max_log_bytes
    measure_timeout_s: Seconds = RunLimits.measure_timeout_s
    predict_timeout_s: Seconds = RunLimits.predict_timeout_s
    threads: Annotated[int, Field(gt=0, le=64, strict=True)] = RunLimits.threads
    batch_size: Annotated[int, Field(gt=0, le=1024, strict=True)] = RunLimits.batch_size
    seed: Annotated[int, Field(ge=0, lt=2**32, strict=True)] = RunLimits.seed


class TrackModel(_Section):
    """A whole track.yaml as it is written; `to_spec` and `to_page` return its two halves."""

    slug: Slug
    name: Annotated[str, Field(min_length=1, max_length=120)]
    formats: Annotated[tuple[Format, ...], Field(min_length=1)]
    input: _Input = _Input()
    output: _Output
    metric: Metric
    extra_metrics: tuple[Metric, ...] = ()
    budgets: _Budgets = _Budgets()
    quantisation: _Quantisation | None = None
    archive_limits: _ArchiveLimits = _ArchiveLimits()
    run_limits: _RunLimits = _RunLimits()
    summary: Annotated[str, Field(max_length=400)] = ""
    rules: str = ""
    opens_at: AwareDatetime | None = None
    closes_at: AwareDatetime | None = None
    quota_submissions: Positive = TrackPage.quota_submissions
    quota_window_hours: Positive = TrackPage.quota_window_hours
    private_scores: PrivateScores = TrackPage.private_scores

    @model_validator(mode="after")
    def _check(self) -> TrackModel:
        if self.output.kind in SPATIAL and self.input.reader is not Reader.IMAGE:
            raise ValueError(f"{self.output.kind} output needs the image reader")
        if self.output.kind in SPATIAL and self.input.fit is not Fit.STRETCH:
            raise ValueError(f"{self.output.kind} output needs the fit “stretch”, which loses no part")
        metrics = (self.metric, *self.extra_metrics)
        fitting = METRICS_BY_OUTPUT[self.output.kind]
        unfit = sorted(set(metrics) - fitting)
        if unfit:
            choice = ", ".join(sorted(fitting))
            names = ", ".join(unfit)
            raise ValueError(f"{names} cannot score {self.output.kind} output; choose from {choice}")
        several = sorted(set(metrics) - ONE_LOGIT_METRICS)
        if self.output.kind is OutputKind.LOGITS and self.output.width == 1 and several:
            raise ValueError(f"{', '.join(several)} needs logits of at least 2 classes")
        if len(set(metrics)) != len(metrics):
            raise ValueError("a metric is listed twice")
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            raise ValueError("opens_at must be before closes_at")
        return self

    @field_validator("quantisation")
    @classmethod
    def _check_points(
        cls, quantisation: _Quantisation | None, others: ValidationInfo
    ) -> _Quantisation | None:
        metric = others.data.get("metric")
        if quantisation and metric and metric not in DROPPABLE_METRICS:
            choice = ", ".join(sorted(DROPPABLE_METRICS))
            raise ValueError(f"the drop is measured in points of {choice}; {metric} has none")
        return quantisation

    def to_spec(self) -> TrackSpec:
        """Return the half that scoring needs."""
        return TrackSpec(
            slug=self.slug,
            name=self.name,
            formats=self.formats,
            input=InputContract(**self.input.model_dump()),
            output=OutputContract(**self.output.model_dump()),
            metric=self.metric,
            extra_metrics=self.extra_metrics,
            budgets=Budgets(**self.budgets.model_dump()),
            quantisation=Quantisation(**self.quantisation.model_dump()) if self.quantisation else None,
            archive_limits=ArchiveLimits(**self.archive_limits.model_dump()),
            run_limits=RunLimits(**self.run_limits.model_dump()),
        )

    def to_page(self) -> TrackPage:
        """Return the half that the site needs."""
        return TrackPage(
            summary=self.summary,
            rules=self.rules,
            opens_at=self.opens_at,
            closes_at=self.closes_at,
            quota_submissions=self.quota_submissions,
            quota_window_hours=self.quota_window_hours,
            private_scores=self.private_scores,
        )
