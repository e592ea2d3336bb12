"""What a track may ask for: its input, its output, its metrics and its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from scoring.contracts.counter import MacsCounter
from scoring.contracts.digest import digest_form, digest_of
from scoring.contracts.fields import Group, Unit, described
from scoring.contracts.format import Format
from scoring.contracts.metric import Metric, OutputKind
from scoring.contracts.reader import READER_FACTS, Dtype, Reader, readers_with


class ChannelOrder(StrEnum):
    """Order of the three colour planes."""

    BGR = "bgr"
    RGB = "rgb"


class Fit(StrEnum):
    """How a picture of another size and aspect is brought to height x width.

    `TORCHVISION`: its `Resize`, then its `CenterCrop`, by the fields `resize`, `crop`, `interpolation` and
    `antialias`.
    """

    STRETCH = "stretch"
    SHORTEST_EDGE_THEN_CENTRE_CROP = "shortest-edge-then-centre-crop"
    CROP_TO_ASPECT_THEN_RESIZE = "crop-to-aspect-then-resize"
    TORCHVISION = "torchvision"


class Interpolation(StrEnum):
    """Filters of a resize, by torchvision's names."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


WITHOUT_ANTIALIAS: Final = frozenset({Interpolation.NEAREST, Interpolation.BILINEAR, Interpolation.BICUBIC})
"""What torchvision can do on tensors, where antialiasing can be off."""


class Decoder(StrEnum):
    """The library that decodes pictures. They differ for 16 bits, CMYK, and what is damaged inside."""

    OPENCV = "opencv"
    PILLOW = "pillow"


class Orientation(StrEnum):
    """What becomes of a picture whose EXIF data say that it was taken with the camera turned."""

    UPRIGHT = "upright"
    AS_STORED = "as-stored"


class Mix(StrEnum):
    """How the channels of a sound become one."""

    MEAN = "mean"
    FFMPEG = "ffmpeg"


class Resampler(StrEnum):
    """The library that brings a sound to another sample rate."""

    SOXR = "soxr"
    SWRESAMPLE = "swresample"


class Peaks(StrEnum):
    """What becomes of a sound's values beyond -1 and 1."""

    CLIP = "clip"
    KEEP = "keep"


class BoxLayout(StrEnum):
    """How a model writes boxes down, in pixels of its input; declared, never guessed from values.

    `YOLO`: (N, 4 + classes, anchors), centre x, centre y, width, height, then one score a class.
    `CORNERS`: (N, boxes, 6), left, top, right, bottom, score, class.
    """

    YOLO = "yolo"
    CORNERS = "corners"


IGNORED_CLASS = 255
"""A mask's value for pixels that nobody is scored on."""
MAX_BOXES = 300
CONFIDENCE_THRESHOLD = 0.001
NMS_THRESHOLD = 0.7
"""What a package gets that states none: mean average precision wants nearly all boxes."""
BOX_FIELDS = 6
"""left, top, right, bottom, score, class: what one box takes in a row of outputs."""


class Split(StrEnum):
    """Halves of a dataset: scores of the public one are shown at once."""

    PUBLIC = "public"
    PRIVATE = "private"


class PrivateScores(StrEnum):
    """When participants see the scores of the private split."""

    NEVER = "never"
    AFTER_CLOSE = "after_close"
    ALWAYS = "always"


class ShownBreakdown(StrEnum):
    """How finely participants see where an entry is right and wrong."""

    FULL = "full"
    STEPS = "steps"
    OFF = "off"


PICTURES: Final = readers_with("channels")
SOUND: Final = readers_with("samples")
CHANNELS: Final[Mapping[Reader, tuple[str, ...]]] = dict.fromkeys(
    PICTURES, ("channel 1", "channel 2", "channel 3")
)


@dataclass(frozen=True, kw_only=True)
class InputContract:
    """What the model receives: a batch of shape (N, *shape), `dtype`, values from low to high.

    Shapes are (3, H, W) for images, (T, 3, H, W) for video, (samples,) for audio. `None` stands for a
    side that the package states; `PackageFormat.settle` fills it, and later stages never see one.
    `mean` and `std`, one value a channel or one for all, are applied last. `resize` to `antialias` count with the fit
    `torchvision` alone. `frame_rate` thins video (None: every frame); `sample_rate` is that of audio, in Hz.
    """

    reader: Reader = field(
        default=Reader.IMAGE,
        metadata=described("The kind of data.", label="Reader"),
    )
    shape: tuple[int | None, ...] = field(
        default=(3, 224, 224),
        metadata=described(
            "One sample: `[3, height, width]` for an image, `[frames, 3, height, width]` for a video with at most "
            "64 frames, `[samples]` for sound. Use `null`, or leave a box empty, to let the package choose that side.",
            label="Input shape",
            above=0,
            boxes={reader: facts.sides for reader, facts in READER_FACTS.items()},
            is_decision=True,
        ),
    )
    dtype: Dtype = field(
        default=Dtype.FLOAT32,
        metadata=described(
            "`float32`, or `uint8` with low 0 and high 255; audio is `float32` with low -1 and high 1.",
            label="Input type",
        ),
    )
    low: float = field(
        default=0.0, metadata=described("The value that the model receives for black.", label="Input low")
    )
    high: float = field(
        default=1.0, metadata=described("The value that the model receives for white.", label="Input high")
    )
    channel_order: ChannelOrder = field(
        default=ChannelOrder.BGR,
        metadata=described(
            "Order of the colour channels; CVPR 2022 used BGR, GASBench and AI Hub use RGB.",
            only={"reader": PICTURES},
        ),
    )
    decoder: Decoder = field(
        default=Decoder.OPENCV,
        metadata=described(
            'What decodes pictures. `pillow` gives what `convert("RGB")` does, as GASBench and torchvision\'s data '
            "sets; the two differ for 16 bits and CMYK.",
            only={"reader": (Reader.IMAGE,)},
        ),
    )
    orientation: Orientation = field(
        default=Orientation.UPRIGHT,
        metadata=described(
            "Whether pictures are turned `upright` as their EXIF data say, or left `as-stored`, as in GASBench.",
            only={"reader": (Reader.IMAGE,)},
        ),
    )
    fit: Fit = field(
        default=Fit.STRETCH,
        metadata=described(
            "How pictures of another size are fitted to height x width. `torchvision`: by the next four fields.",
            only={"reader": PICTURES},
        ),
    )
    resize: tuple[int, ...] | None = field(
        default=None,
        metadata=described(
            "torchvision's `Resize`: one number for the shorter edge, or height and width.",
            empty="height and width of the input",
            above=0,
            only={"reader": PICTURES, "fit": (Fit.TORCHVISION,)},
        ),
    )
    crop: tuple[int, ...] | None = field(
        default=None,
        metadata=described(
            "torchvision's `CenterCrop` after it: one number for a square, or height and width. Must be the input's "
            "height and width.",
            empty="no crop",
            above=0,
            only={"reader": PICTURES, "fit": (Fit.TORCHVISION,)},
        ),
    )
    interpolation: Interpolation = field(
        default=Interpolation.BILINEAR,
        metadata=described(
            "The filter of `Resize`, by torchvision's names.",
            only={"reader": PICTURES, "fit": (Fit.TORCHVISION,)},
        ),
    )
    antialias: bool = field(
        default=True,
        metadata=described(
            "Whether `Resize` smooths what it shrinks. torchvision always does so for Pillow pictures.",
            only={"reader": PICTURES, "fit": (Fit.TORCHVISION,)},
        ),
    )
    mean: tuple[float, ...] | None = field(
        default=None,
        metadata=described(
            "What is subtracted from each channel after scaling; one value per channel, or one for all.",
            empty="none",
            only={"reader": PICTURES},
            boxes=CHANNELS,
        ),
    )
    std: tuple[float, ...] | None = field(
        default=None,
        metadata=described(
            "What each channel is divided by after `mean` is subtracted; one value per channel, or one for all.",
            empty="none",
            above=0,
            only={"reader": PICTURES},
            boxes=CHANNELS,
        ),
    )
    frame_rate: float | None = field(
        default=None,
        metadata=described(
            "Thins video to this rate.",
            unit=Unit.FRAMES_A_SECOND,
            empty="every frame",
            above=0,
            only={"reader": readers_with("frames")},
        ),
    )
    sample_rate: int = field(
        default=16_000,
        metadata=described(
            "Sample rate of audio; other rates are resampled.",
            unit=Unit.HERTZ,
            above=0,
            only={"reader": SOUND},
        ),
    )
    mix: Mix = field(
        default=Mix.MEAN,
        metadata=described(
            "How channels become one. `mean`: their average. `ffmpeg`: as FFmpeg mixes, (left + right) x 0.7071 for "
            "stereo.",
            only={"reader": SOUND},
        ),
    )
    resampler: Resampler = field(
        default=Resampler.SOXR,
        metadata=described(
            "What resamples: `soxr` at its high quality, as librosa does, or FFmpeg's `swresample`.",
            only={"reader": SOUND},
        ),
    )
    peaks: Peaks = field(
        default=Peaks.CLIP,
        metadata=described(
            "What mixing, resampling or a lossy codec throws beyond -1 and 1: `clip` cuts it off, `keep` leaves it, "
            "as FFmpeg does for floats.",
            only={"reader": SOUND},
        ),
    )

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

    kind: OutputKind = field(
        metadata=described(
            "`logits`: one column per class, the largest wins. `confidence`: one column, higher means positive. "
            "`class_map`: a class for each pixel. `boxes`: positions, scores and classes.",
            label="Output kind",
        )
    )
    width: int = field(
        default=0,
        metadata=described(
            "Columns: the number of classes; 1 for a confidence, or for the logit of class 1 if the metrics "
            "accept one.",
            label="Output width",
            at_least=0,
            only={"kind": (OutputKind.LOGITS, OutputKind.CONFIDENCE)},
            is_decision=True,
        ),
    )
    classes: int = field(
        default=0,
        metadata=described(
            "Number of classes of a class map (at least 2) or boxes (at least 1). Leave out for other outputs.",
            at_least=0,
            below=IGNORED_CLASS,
            only={"kind": (OutputKind.CLASS_MAP, OutputKind.BOXES)},
            is_decision=True,
        ),
    )
    box_layout: BoxLayout | None = field(
        default=None,
        metadata=described(
            "`yolo`: N x (4 + classes) x anchors. `corners`: N x boxes x 6. Required for boxes, and only there.",
            empty="none",
            only={"kind": (OutputKind.BOXES,)},
            is_decision=True,
        ),
    )
    class_names: tuple[str, ...] = field(
        default=(),
        metadata=described(
            "One name per class in the order of their numbers, starting with class 0; all different. An output of "
            "one column has two classes. Names do not affect scores and do not start a new benchmark version.",
            empty="none",
            max_length=80,
            is_one_line=True,
            changes_scores=False,
        ),
    )

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


class Capture(StrEnum):
    """Whether an entry is turned into a graph that is counted and then runs in place of its code."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    OFF = "off"


DEFAULT_ENVIRONMENT: Final = "default"
ENVIRONMENT_NAME: Final = r"[a-z0-9]+([._-][a-z0-9]+)*"

BYTES_A_PARAMETER = 4
BYTES_BESIDE_PARAMETERS = 4 * 2**20
"""Source, documents, or an ONNX graph beside its weights, in tracks with a budget on parameters."""


@dataclass(frozen=True, kw_only=True)
class Budgets:
    """What a package may use, and whose count of it applies. `None` means no limit.

    `max_parameters` is inclusive ("no more than"), `max_macs` is strict ("lower than"), as the
    CVPR 2022 rules word them. MACs are multiply-adds of one sample at batch 1. `max_latency_ms`, also
    inclusive, is a gate on the median time of one sample: beyond it an entry is listed and not ranked.
    """

    max_parameters: int | None = field(
        default=None,
        metadata=described(
            "A model may have at most this many. Every parameter and floating-point buffer counts.",
            unit=Unit.PARAMETERS,
            empty="no limit",
            above=0,
            is_decision=True,
        ),
    )
    max_macs: int | None = field(
        default=None,
        metadata=described(
            "A model must need fewer. Counts multiply-adds for one sample; “5G FLOPs” in CVPR 2022 means 5G here.",
            label="Max MACs",
            unit=Unit.MACS,
            empty="no limit",
            above=0,
            is_decision=True,
        ),
    )
    macs_counter: MacsCounter = field(
        default=MacsCounter.EXACT,
        metadata=described(
            "Whose count is held against the limit on MACs. `exact`: that of the graph, or else of the running "
            "model. `ptflops` and `fvcore`: theirs, or the exact one where they fail. `largest`: "
            "the highest of all.",
            label="MAC counter",
        ),
    )
    capture: Capture = field(
        default=Capture.PREFERRED,
        metadata=described(
            "Whether entries are captured as graphs, which are counted and then run without the entry's code. "
            "`required`: an entry that cannot be captured is rejected. `preferred`: it is counted by running it, "
            "and the board says so. `off`: every entry runs as it is.",
        ),
    )
    max_package_bytes: int | None = field(
        default=None,
        metadata=described(
            "The entry's files may take at most this much, unpacked.",
            label="Max package size",
            unit=Unit.BYTES,
            empty="what the archive limits allow; if parameters are limited, 4 bytes per allowed parameter plus 4 MiB",
            above=0,
        ),
    )
    max_latency_ms: float | None = field(
        default=None,
        metadata=described(
            "The median time per sample, measured in a separate run, may be at most this. Slower entries are listed "
            "below the ranked ones.",
            unit=Unit.MILLISECONDS,
            empty="not timed",
            above=0,
            at_most=3_600_000,
        ),
    )

    @property
    def max_bytes(self) -> int | None:
        """Return what the files of a package may weigh, unpacked, whatever its format; None for no limit.

        "30M float parameters (120Mb in model size)", as the CVPR 2022 rules word it: more bytes could hold
        more weights than anyone counted. A track's own `max_package_bytes` stands in place of this.
        """
        if self.max_package_bytes is not None or self.max_parameters is None:
            return self.max_package_bytes
        return BYTES_A_PARAMETER * self.max_parameters + BYTES_BESIDE_PARAMETERS


class Precision(StrEnum):
    """Precisions of a second score: bits of weights, then of activations, then of the layers that need more."""

    W8A8 = "w8a8"
    W8A16 = "w8a16"
    W8A8_MIXED_INT16 = "w8a8_mixed_int16"

    @property
    def bits(self) -> int:
        """Return the most bits that a factor has."""
        return 8 if self is Precision.W8A8 else 16


@dataclass(frozen=True, kw_only=True)
class Quantisation:
    """A second score of the same entry with its graph quantised statically on public samples.

    `max_drop_points` is inclusive, in points of a hundred of the ranking metric: a drop from 0.75 to
    0.65 is one of 10 points.
    """

    precision: Precision = field(
        default=Precision.W8A8,
        metadata=described(
            "Bits of the weights and the activations. In a mixed precision, the most sensitive layers have the bits "
            "that stand last, in both."
        ),
    )
    sensitive_percent: float = field(
        default=10.0,
        metadata=described(
            "In a mixed precision, the percentage of layers that keep 16 bits: those that 8 bits disturb most. "
            "At least one does.",
            at_least=0,
            at_most=100,
        ),
    )
    calibration_samples: int = field(
        default=100,
        metadata=described(
            "Samples of the public split to calibrate the quantised graph on; fewer if the split has fewer.",
            at_least=1,
            at_most=10_000,
        ),
    )
    max_drop_points: float = field(
        default=10.0,
        metadata=described(
            "How many points (hundredths) of the ranking metric the second score may lose at most. From 0.75 to "
            "0.65 is 10 points.",
            unit=Unit.POINTS,
            at_least=0,
            at_most=100,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class ArchiveLimits:
    """Bounds on unpacking. Byte counts are of bytes really read, never of declared sizes."""

    max_entry_bytes: int = field(
        default=512 * 2**20,
        metadata=described(
            "Size of the uploaded file. The site's own upload limit applies too.",
            label="Max upload size",
            unit=Unit.BYTES,
            above=0,
        ),
    )
    max_unpacked_bytes: int = field(
        default=2 * 2**30,
        metadata=described(
            "Total size of the archive's files, counted as they are read.",
            label="Max unpacked size",
            unit=Unit.BYTES,
            above=0,
        ),
    )
    max_files: int = field(default=2_000, metadata=described("Number of files in the archive.", above=0))
    max_depth: int = field(default=16, metadata=described("Depth of nested folders.", above=0))
    max_ratio: float = field(
        default=200.0,
        metadata=described(
            "Unpacked size divided by compressed size, for each file; stops zip bombs.", above=1
        ),
    )


WEEK_S: Final = 7 * 24 * 3600


class Processes(StrEnum):
    """Whether an entry may start processes of its own; threads it may always start."""

    REFUSED = "refused"
    ALLOWED = "allowed"


@dataclass(frozen=True, kw_only=True)
class RunLimits:
    """Bounds on one run in the sandbox. `threads` is fixed by the track so that scores repeat."""

    max_memory_bytes: int = field(
        default=6 * 2**30,
        metadata=described("Memory of the whole run in the sandbox.", unit=Unit.BYTES, above=0),
    )
    processes: Processes = field(
        default=Processes.REFUSED,
        metadata=described(
            "`refused`: an entry runs in one process with as many threads as it likes. `allowed`: it may start more."
        ),
    )
    max_processes: int = field(
        default=256,
        metadata=described("Processes and threads of the run.", above=0),
    )
    max_file_bytes: int = field(
        default=512 * 2**20,
        metadata=described(
            "The largest file that the run may write.", label="Max file size", unit=Unit.BYTES, above=0
        ),
    )
    max_tmp_bytes: int = field(
        default=512 * 2**20,
        metadata=described(
            "Total size of what the run may write to its own `/tmp`.",
            label="Max size of /tmp",
            unit=Unit.BYTES,
            above=0,
        ),
    )
    max_log_bytes: int = field(
        default=2**20,
        metadata=described(
            "How much printed text is kept for participants to see.",
            label="Max log size",
            unit=Unit.BYTES,
            above=0,
        ),
    )
    measure_timeout_s: float = field(
        default=300.0,
        metadata=described(
            "Time limit for loading the model and counting its parameters and MACs.",
            unit=Unit.SECONDS,
            above=0,
            at_most=WEEK_S,
        ),
    )
    predict_timeout_s: float = field(
        default=3_600.0,
        metadata=described(
            "Time limit for all hidden samples together.", unit=Unit.SECONDS, above=0, at_most=WEEK_S
        ),
    )
    threads: int = field(
        default=2,
        metadata=described(
            "CPU threads of the run; fixed, so that scores are repeatable.", above=0, at_most=64
        ),
    )
    batch_size: int = field(
        default=32,
        metadata=described("Samples per forward pass.", above=0, at_most=1024),
    )
    seed: int = field(
        default=0,
        metadata=described("Seed of the run's random numbers.", at_least=0, below=2**32),
    )


@dataclass(frozen=True, kw_only=True)
class TrackSpec:
    """All that the scoring flow needs to know of a track."""

    slug: str = field(
        metadata=described(
            "Part of the address, for example `cvpr2022-track1`: lower-case letters, digits and single hyphens.",
            pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
            max_length=60,
            changes_scores=False,
        )
    )
    name: str = field(
        metadata=described("Title of the track.", min_length=1, max_length=120, changes_scores=False)
    )
    formats: tuple[Format, ...] = field(
        metadata=described("What participants may upload.", needs_an_item=True, is_decision=True)
    )
    input: InputContract = field(
        default_factory=InputContract,
        metadata=described("What a model receives: a batch of samples.", label="Input"),
    )
    output: OutputContract = field(
        metadata=described("What a model returns for a batch of samples.", label="Output")
    )
    metric: Metric = field(metadata=described("Ranks the board.", group=Group.METRICS, is_decision=True))
    extra_metrics: tuple[Metric, ...] = field(
        default=(), metadata=described("Shown with the ranking metric.", group=Group.METRICS, empty="none")
    )
    environment: str = field(
        default=DEFAULT_ENVIRONMENT,
        metadata=described(
            "What entries can import. `default`: the packages in `env.txt`. Otherwise the name of another list, for "
            "example `cpu-2026.1`; only workers that have it installed score the track.",
            pattern=f"^{ENVIRONMENT_NAME}$",
            max_length=40,
        ),
    )
    budgets: Budgets = field(default_factory=Budgets, metadata=described("What a package may use."))
    quantisation: Quantisation | None = field(
        default=None,
        metadata=described(
            "A second score of each entry, with its graph quantised on public samples.", empty="one score"
        ),
    )
    archive_limits: ArchiveLimits = field(
        default_factory=ArchiveLimits,
        metadata=described("What an uploaded archive may hold.", label="Limits on archives"),
    )
    run_limits: RunLimits = field(
        default_factory=RunLimits,
        metadata=described("What a run may use.", label="Limits on runs in the sandbox"),
    )

    def digest(self) -> str:
        """Return "sha256:…" of everything in the spec that can change a score or a verdict."""
        return digest_of(digest_form(self))
