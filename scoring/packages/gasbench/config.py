"""`model_config.yaml` of a gasbench package: every field checked, all findings at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from scoring.contracts import MAX_FRAMES, METRIC_FACTS, InputContract, Reader, TrackSpec
from scoring.packages.gasbench.load_model import argument_problems, shown
from scoring.packages.unknown_fields import meant

DEFAULT_WEIGHTS: Final = "model.safetensors"
INDEX_SUFFIX: Final = ".safetensors.index.json"
DEFAULT_FRAMES: Final = 16
DEFAULT_SIDE: Final = 224
# Each size costs a copy of the dataset and memory for a batch; without a bound, one entry fills the disk.
MAX_SIDE: Final = 1024
MAX_RATE: Final = 240
MAX_HERTZ: Final = 384_000
MAX_SOUND_S: Final = 3600
MAX_CLASSES: Final = 100
TWO_CLASSES: Final = 2
THREE_LOGITS: Final = 3
MAX_TEXT: Final = 200
DTYPES: Final = {
    "float32": "float32",
    "fp32": "float32",
    "float16": "float16",
    "fp16": "float16",
    "bfloat16": "bfloat16",
    "bf16": "bfloat16",
}


class InvalidConfig(ValueError):
    """A configuration breaks its schema or its track; `reasons` begin with the field."""

    def __init__(self, *reasons: str) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


class _Section(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]
Deviation = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Frames = Annotated[int, Field(ge=1, le=MAX_FRAMES)]

# The description of each field says what it must be, as a refusal ends.


class Normalize(_Section):
    """Mean and deviation that the model applies itself; accepted, and applied by nobody else."""

    mean: list[Finite] = Field(min_length=1, max_length=3, description="a list of 1 to 3 numbers")
    std: list[Deviation] = Field(min_length=1, max_length=3, description="a list of 1 to 3 numbers above 0")


class Preprocessing(_Section):
    """The input that the model was made for."""

    resize: list[Side] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description=f"[height, width], two whole numbers from 1 to {MAX_SIDE}",
    )
    normalize: Normalize | None = Field(default=None, description="a mapping with mean and std")
    max_frames: Frames | None = Field(default=None, description=f"a whole number from 1 to {MAX_FRAMES}")
    num_frames: Frames | None = Field(default=None, description=f"a whole number from 1 to {MAX_FRAMES}")
    frame_rate: float | None = Field(
        default=None, gt=0, le=MAX_RATE, description=f"a number above 0, at most {MAX_RATE}"
    )
    sample_rate: int | None = Field(
        default=None, ge=1, le=MAX_HERTZ, description=f"a whole number of hertz from 1 to {MAX_HERTZ}"
    )
    duration_seconds: float | None = Field(
        default=None, gt=0, le=MAX_SOUND_S, description=f"a number above 0, at most {MAX_SOUND_S}"
    )

    @property
    def frames(self) -> int:
        """How many frames of a video the model takes."""
        return self.num_frames or self.max_frames or DEFAULT_FRAMES

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        height, width = self.resize or (DEFAULT_SIDE, DEFAULT_SIDE)
        return height, width

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Preprocessing:
        problems = list(_input_problems(self, _track(info).input))
        if problems:
            raise ValueError("; ".join(problems))
        return self


def _inside(path: str) -> str:
    parts = PurePosixPath(path).parts
    # A path that leaves the package would be checked here and be another file there.
    is_leading_out = PurePosixPath(path).is_absolute() or ".." in parts or "\\" in path
    if not parts or is_leading_out or not path.isprintable():
        raise ValueError(f"is {shown(path)}; it must be a relative path inside the package")
    if not path.endswith((".safetensors", INDEX_SUFFIX)):
        raise ValueError(f"is {shown(path)}; it must end with .safetensors or {INDEX_SUFFIX}")
    return str(PurePosixPath(path))


def _as_the_track(found: int, info: ValidationInfo) -> int:
    allowed = logits_taken(_track(info))
    if found not in allowed:
        raise ValueError(f"is {found}; this track needs {_one_of(allowed)}")
    return found


def _one_of(numbers: tuple[int, ...]) -> str:
    *others, last = map(str, numbers)
    return f"{', '.join(others)} or {last}" if others else last


def logits_taken(track: TrackSpec) -> tuple[int, ...]:
    """Return how many logits a model may have, the track's own number first.

    Where GASBench tells two classes apart, it also takes a single logit, that of class 1, and three, the
    last two of which mean the same.
    """
    width, metrics = track.output.width, (track.metric, *track.extra_metrics)
    if width != TWO_CLASSES:
        return (width,)
    facts = [METRIC_FACTS[metric] for metric in metrics]
    one = (1,) if all(each.one_logit for each in facts) else ()
    three = (THREE_LOGITS,) if all(each.joins or each.first_against_rest for each in facts) else ()
    return (width, *one, *three)


def _of_the_track(found: str, info: ValidationInfo) -> str:
    needed = _track(info).input.reader
    if found not in set(Reader):
        raise ValueError(f"is {shown(found)}; it must be one of {', '.join(Reader)}")
    if found != needed:
        raise ValueError(f"is {found}, but this track is for {needed}")
    return found


def _dtype(name: str) -> str:
    if name.lower() not in DTYPES:
        raise ValueError(f"is {shown(name)}; it must be one of {', '.join(DTYPES)}")
    return DTYPES[name.lower()]


class Model(BaseModel):
    """Where the weights are, and what `load_model` is called with."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    num_classes: Annotated[int, Field(ge=1, le=MAX_CLASSES), AfterValidator(_as_the_track)] | None = Field(
        default=None, description=f"a whole number from 1 to {MAX_CLASSES}"
    )
    weights_file: Annotated[str, AfterValidator(_inside)] = Field(
        default=DEFAULT_WEIGHTS,
        max_length=MAX_TEXT,
        description=f"the path of a .safetensors file, at most {MAX_TEXT} characters",
    )

    @property
    def arguments(self) -> dict[str, Any]:
        """Every key but `weights_file`, as gasbench hands them on."""
        stated = {} if self.num_classes is None else {"num_classes": self.num_classes}
        return {**stated, **(self.model_extra or {})}


class Config(_Section):
    """A whole model_config.yaml."""

    name: str = Field(default="", max_length=MAX_TEXT, description=f"text of at most {MAX_TEXT} characters")
    # `version: 1.0` without quotes is a number in YAML.
    version: str | int | float = Field(default="", description="text or a number")
    modality: Annotated[str, AfterValidator(_of_the_track)] | None = Field(
        default=None, description=f"one of {', '.join(Reader)}"
    )
    preprocessing: Preprocessing = Field(
        default=Preprocessing.model_construct(), description="a mapping of fields"
    )
    model: Model = Field(
        default=Model.model_construct(), description="a mapping of fields, {} if it is empty"
    )
    dtype: Annotated[str, AfterValidator(_dtype)] = Field(
        default="float32", description=f"one of {', '.join(DTYPES)}"
    )


def parse_config(raw: Mapping[Any, Any], track: TrackSpec) -> Config:
    """Check plain values against the schema and the track; raise `InvalidConfig` with every reason.

    Fields that GASBench does not know either are left out; see `ignored_fields`.
    """
    unknown = _unknown(raw)
    problems = [
        f"{place}: unknown field, perhaps meant as {known}" for place, known in unknown.items() if known
    ]
    problems += (f"model: {problem}" for problem in argument_problems(raw.get("model")))
    try:
        config = Config.model_validate(dict(raw), context=track)
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
        # A value that is none of several types has an error for each of them.
        raise InvalidConfig(*dict.fromkeys(_sentence(error) for error in errors), *problems) from exc
    if problems:
        raise InvalidConfig(*problems)
    return config


def ignored_fields(raw: Mapping[Any, Any]) -> list[str]:
    """Return the fields, with their sections, that nobody reads and that no known field was meant by."""
    return [place for place, known in _unknown(raw).items() if not known]


def _unknown(raw: Mapping[Any, Any]) -> dict[str, str]:
    """Return each unknown field with the known one that it is a misspelling of, if it looks like one."""
    found = {}
    for place, section in _sections(raw):
        for name in section.keys() - _FIELDS[place].keys():
            found[_dotted((*place, name))] = meant(name, _FIELDS[place])
    return dict(sorted(found.items()))


def _sections(raw: Mapping[Any, Any]) -> Iterator[tuple[tuple[str, ...], Mapping[Any, Any]]]:
    """Yield the sections whose fields are known, where they are mappings as they should be."""
    for place in _FIELDS:
        section: Any = raw
        for name in place:
            section = section.get(name) if isinstance(section, Mapping) else None
        if isinstance(section, Mapping):
            yield place, section


def stated_weights(raw: Mapping[Any, Any]) -> str | None:
    """Return the weights file of a configuration that may be wrong elsewhere; None if it is wrong here."""
    model = raw.get("model")
    stated = model.get("weights_file", DEFAULT_WEIGHTS) if isinstance(model, dict) else DEFAULT_WEIGHTS
    try:
        return _inside(stated) if isinstance(stated, str) else None
    except ValueError:
        return None


def _track(info: ValidationInfo) -> TrackSpec:
    track: TrackSpec = info.context  # type: ignore[assignment]  # `parse_config` is the only caller
    return track


def _input_problems(stated: Preprocessing, contract: InputContract) -> Iterator[str]:
    if contract.reader is Reader.AUDIO:
        yield from _sound_problems(stated, contract)
        return
    *frames, _, height, width = contract.shape
    for name, wanted, found in zip(("height", "width"), (height, width), stated.size, strict=True):
        if stated.resize and wanted not in {None, found}:
            yield f"resize states {name} {found}, but this track feeds {wanted}"
    if frames and frames[0] not in {None, stated.frames} and (stated.max_frames or stated.num_frames):
        yield f"{stated.frames} frames are stated, but this track feeds {frames[0]}"
    if stated.num_frames and stated.max_frames and stated.num_frames != stated.max_frames:
        yield "num_frames and max_frames differ; state only one"


def _sound_problems(stated: Preprocessing, contract: InputContract) -> Iterator[str]:
    rate = stated.sample_rate or contract.sample_rate
    if rate != contract.sample_rate:
        yield f"sample_rate is {rate}, but this track feeds {contract.sample_rate} Hz"
    samples = contract.shape[0]
    if samples is not None and stated.duration_seconds is not None:
        found = rate * stated.duration_seconds
        if round(found) != samples:
            yield f"sample_rate times duration_seconds is {found:g} samples, but this track feeds {samples}"


def _sentence(error: Mapping[str, Any]) -> str:
    """Say what was found in the field, and what it must be."""
    place, kind = error["loc"], error["type"]
    if kind == "value_error":
        return f"{_dotted(place) or 'the file'}: {error['ctx']['error']}"
    # What comes after the field is a place in a list, or one of the types it may have.
    at = max(number for number, part in enumerate(place) if part in _WANTED)
    place = (*place[: at + 1], *(part for part in place[at + 1 :] if isinstance(part, int)))
    found = "is missing" if kind == "missing" else f"is {_shown(error['input'])}"
    return f"{_dotted(place)}: {found}; {place[at]} must be {_WANTED[place[at]]}"


def _shown(value: object) -> str:
    try:
        return shown(json.dumps(value, default=str, skipkeys=True))
    except ValueError:
        # Python prints no integer of more than 4,300 digits, and YAML reads it from hexadecimal ones.
        return "a number with thousands of digits"


def _dotted(place: tuple[Any, ...]) -> str:
    return ".".join(shown(part) for part in place)


_FIELDS: Final[Mapping[tuple[str, ...], Mapping[str, object]]] = {
    (): Config.model_fields,
    ("preprocessing",): Preprocessing.model_fields,
    ("preprocessing", "normalize"): Normalize.model_fields,
}
_WANTED: Final = {
    name: field.description
    for section in (Config, Preprocessing, Normalize, Model)
    for name, field in section.model_fields.items()
}
