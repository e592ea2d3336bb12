"""The schema of a track.yaml: made from the descriptions of the fields, with the rules of which go together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationInfo,
    create_model,
    field_validator,
)

from scoring.contracts import (
    MAX_FRAMES,
    METRIC_FACTS,
    READER_FACTS,
    WITHOUT_ANTIALIAS,
    Dtype,
    Fit,
    InputContract,
    OutputContract,
    OutputKind,
    Quantisation,
    Reader,
    TrackSpec,
    metrics_of,
)
from scoring.contracts.fields import TrackField, fields_of, sections_of
from scoring.tracks.document import TrackDocument, TrackPage

SPATIAL: Final = frozenset({OutputKind.CLASS_MAP, OutputKind.BOXES})
STORED_FLOATS: Final = (Dtype.FLOAT32, -1.0, 1.0)
TORCHVISION_FIELDS: Final = ("resize", "crop", "interpolation", "antialias")
USUAL_INPUT: Final = InputContract()
PLANES: Final = 3


# --- which parts go together ------------------------------------------------------------------------------


class Contradiction(ValueError):
    """Parts of a document do not go together; `field` names the one to look at, as seen from the rule."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)


def check_input(contract: InputContract) -> None:
    """Refuse an input whose parts contradict each other."""
    facts = READER_FACTS[contract.reader]
    sides = facts.sides
    if len(contract.shape) != len(sides):
        sentence = f"shape lists {', '.join(sides)}, but {len(contract.shape)} numbers are given"
        raise Contradiction("shape", sentence)
    if "channels" in sides and contract.shape[sides.index("channels")] != PLANES:
        sentence = f"pictures have {PLANES} channels, not {contract.shape[sides.index('channels')]}"
        raise Contradiction("shape", sentence)
    frames = contract.shape[sides.index("frames")] if "frames" in sides else None
    if (frames or 1) > MAX_FRAMES:
        raise Contradiction("shape", f"video has from 1 to {MAX_FRAMES} frames, not {frames}")
    if facts.stored is Dtype.FLOAT32 and (contract.dtype, contract.low, contract.high) != STORED_FLOATS:
        raise Contradiction("dtype", f"{contract.reader} input is float32 with low -1 and high 1")
    _check_normalisation(contract)
    if not contract.low < contract.high:
        sentence = f"low ({contract.low:g}) must be below high ({contract.high:g})"
        raise Contradiction("low", sentence)
    if contract.dtype is Dtype.UINT8 and (contract.low, contract.high) != (0.0, 255.0):
        raise Contradiction("dtype", "uint8 input has low 0 and high 255")
    if "channels" in sides:
        _check_resize(contract)


def _check_normalisation(contract: InputContract) -> None:
    if "channels" not in READER_FACTS[contract.reader].sides and contract.mean is not None:
        raise Contradiction("mean", f"mean and std are for pictures; {contract.reader} is given as it is")
    if (contract.mean is None) != (contract.std is None):
        raise Contradiction("mean", "give both mean and std, or neither")
    for name, values in (("mean", contract.mean), ("std", contract.std)):
        if values is not None and len(values) not in (1, PLANES):
            sentence = f"{name} has {len(values)} numbers; give {PLANES}, one per channel, or one for all"
            raise Contradiction(name, sentence)


def _check_resize(contract: InputContract) -> None:
    """Refuse a resize that does not end at the input's size, or that is stated where it does not count."""
    stated = [name for name in TORCHVISION_FIELDS if getattr(contract, name) != getattr(USUAL_INPUT, name)]
    if contract.fit is not Fit.TORCHVISION:
        if stated:
            raise Contradiction(stated[0], f"{stated[0]} only counts with the fit “{Fit.TORCHVISION}”")
        return
    for name in ("resize", "crop"):
        if (stated_size := getattr(contract, name)) is not None and len(stated_size) not in (1, 2):
            raise Contradiction(name, "give one number, or height and width")
    if not contract.antialias and contract.interpolation not in WITHOUT_ANTIALIAS:
        choice = ", ".join(sorted(WITHOUT_ANTIALIAS))
        sentence = (
            f"torchvision cannot do {contract.interpolation} without antialiasing; choose from {choice}"
        )
        raise Contradiction("interpolation", sentence)
    last = "resize" if contract.crop is None else "crop"
    size = getattr(contract, last)
    if last == "resize" and len(size or ()) == 1:
        raise Contradiction("crop", "a shorter edge alone fixes no size; state the crop too")
    *_, height, width = contract.shape
    if size is not None and (size[0], size[-1]) != (height, width):
        found, wanted = f"{size[0]} x {size[-1]}", f"{height or 'any'} x {width or 'any'}"
        raise Contradiction(last, f"the {last} ends at {found}, but the input is {wanted} (height x width)")


def check_output(contract: OutputContract) -> None:
    """Refuse an output whose numbers do not fit its kind."""
    kind = contract.kind
    if kind is OutputKind.CONFIDENCE and contract.width != 1:
        raise Contradiction("width", f"a confidence output has width 1, not {contract.width}")
    if kind is OutputKind.LOGITS and contract.width < 1:
        raise Contradiction("width", "logits need a width")
    if kind is OutputKind.CLASS_MAP and contract.classes < 2:
        raise Contradiction("classes", "a class map needs at least 2 classes")
    if kind is OutputKind.BOXES and contract.classes < 1:
        raise Contradiction("classes", "boxes need at least 1 class")
    if kind in SPATIAL and contract.width:
        sentence = f"the width of {kind} output follows from the input; leave it out"
        raise Contradiction("width", sentence)
    if kind not in SPATIAL and contract.classes:
        sentence = f"{kind} output states its classes by its width; leave classes out"
        raise Contradiction("classes", sentence)
    if (kind is OutputKind.BOXES) != (contract.box_layout is not None):
        sentence = "boxes need a box_layout (yolo or corners); other outputs must not have one"
        raise Contradiction("box_layout", sentence)


def check_class_names(names: tuple[str, ...], others: ValidationInfo) -> tuple[str, ...]:
    """Refuse names that are not one for each class."""
    if len(set(names)) != len(names):
        raise ValueError("a name is listed twice")
    if not {"width", "classes"} <= others.data.keys():
        return names
    # One column, a confidence or a single logit, tells two classes apart.
    classes = others.data["classes"] or max(others.data["width"], 2)
    if names and len(names) != classes:
        raise ValueError(f"{len(names)} names are listed, but there are {classes} classes")
    return names


def check_points(quantisation: Quantisation | None, others: ValidationInfo) -> Quantisation | None:
    """Refuse a second score where the ranking metric has no points to lose."""
    metric = others.data.get("metric")
    if quantisation and metric and not METRIC_FACTS[metric].has_points:
        choice = ", ".join(sorted(metric for metric, facts in METRIC_FACTS.items() if facts.has_points))
        raise ValueError(f"the drop is measured in points, and {metric} has none; choose from {choice}")
    return quantisation


def check_document(document: TrackDocument) -> None:
    """Refuse metrics that cannot score the output, inputs that it cannot have, and a window without time."""
    spec, page = document.spec, document.page
    kind = spec.output.kind
    if kind in SPATIAL and spec.input.reader is not Reader.IMAGE:
        raise Contradiction("input.reader", f"{kind} output needs the image reader")
    if kind in SPATIAL and spec.input.fit is not Fit.STRETCH:
        sentence = f"{kind} output needs the fit “stretch”, which loses no part"
        raise Contradiction("input.fit", sentence)
    metrics = (spec.metric, *spec.extra_metrics)
    fitting = metrics_of(kind)
    unfit = sorted(set(metrics).difference(fitting))
    if unfit:
        choice, names = ", ".join(sorted(fitting)), ", ".join(unfit)
        sentence = f"{names} cannot score {kind} output; choose from {choice}"
        raise Contradiction("metric" if spec.metric in unfit else "extra_metrics", sentence)
    several = sorted(metric for metric in set(metrics) if not METRIC_FACTS[metric].one_logit)
    if kind is OutputKind.LOGITS and spec.output.width == 1 and several:
        raise Contradiction("output.width", f"{', '.join(several)} needs logits of at least 2 classes")
    if len(set(metrics)) != len(metrics):
        raise Contradiction("extra_metrics", "a metric is listed twice")
    if page.opens_at and page.closes_at and page.opens_at >= page.closes_at:
        raise Contradiction("closes_at", "opens_at must be before closes_at")


SECTION_CHECKS: Final[dict[type, Callable[[Any], None]]] = {
    InputContract: check_input,
    OutputContract: check_output,
}
FIELD_CHECKS: Final[dict[type, dict[str, Callable[[Any, ValidationInfo], Any]]]] = {
    OutputContract: {"class_names": check_class_names},
    TrackSpec: {"quantisation": check_points},
}


# --- the schema itself ------------------------------------------------------------------------------------


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def document_schema(spec: type = TrackSpec, page: type = TrackPage) -> TypeAdapter[TrackDocument]:
    """Return what reads a document of these two halves, whose fields stand side by side in it."""
    halves = {"spec": spec, "page": page}
    model = create_model(
        "TrackModel",
        __base__=_Strict,
        __validators__=_field_checks(spec) | _field_checks(page),
        **{name: kind for half in halves.values() for name, kind in _annotations(half)},
    )

    def build(read: BaseModel) -> TrackDocument:
        document = TrackDocument(spec=_taken(read, spec), page=_taken(read, page))
        check_document(document)
        return document

    checked: Any = Annotated[model, AfterValidator(build)]
    return TypeAdapter(checked)


def _section(contract: type) -> Any:
    """Return the type of a section: read by a schema of its own, and then a contract that passed its check."""
    model = create_model(
        contract.__name__,
        __base__=_Strict,
        __validators__=_field_checks(contract),
        **dict(_annotations(contract)),
    )

    def build(read: BaseModel) -> Any:
        section = _taken(read, contract)
        SECTION_CHECKS.get(contract, lambda _: None)(section)
        return section

    return Annotated[model, AfterValidator(build)]


def _taken(read: BaseModel, contract: type) -> Any:
    """Return the contract that holds what was read for its fields."""
    return contract(**{name: getattr(read, name) for name in _names(contract)})


def _names(contract: type[Any]) -> list[str]:
    return [field.name for field in fields(contract)]


def _field_checks(contract: type) -> dict[str, Any]:
    checks = FIELD_CHECKS.get(contract, {})
    return {f"check_{name}": field_validator(name)(staticmethod(check)) for name, check in checks.items()}


def _annotations(contract: type) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a contract in its order, each as pydantic declares it: (type, default)."""
    found = {field.name: (field_type(field), field.default) for field in fields_of(contract)}
    for section in sections_of(contract):
        kind = _section(section.contract)
        found[section.name] = (kind | None if section.is_optional else kind, section.default)
    for name in _names(contract):
        kind, default = found[name]
        yield name, (kind, ...) if default is MISSING else (kind, default)


def field_type(field: TrackField) -> Any:
    """Return a field's type with its bounds, as pydantic reads them."""
    kind = _bounded(field.type, field) if field.item is None else _list(field)
    return kind | None if field.is_optional else kind


def _list(field: TrackField) -> Any:
    item = _bounded(field.item, field)
    kind: Any = tuple[item | None if field.has_open_items else item, ...]  # type: ignore[misc]  # made at run time
    if field.item is int and field.about.boxes is None:
        kind = Annotated[kind, BeforeValidator(_listed)]
    return Annotated[kind, Field(min_length=1)] if field.about.needs_an_item else kind


def _bounded(kind: type, field: TrackField) -> Any:
    about = field.about
    if issubclass(kind, StrEnum):
        return Annotated[kind, BeforeValidator(_off)] if "off" in list(kind) else kind
    if issubclass(kind, datetime):
        return AwareDatetime
    if issubclass(kind, str):
        text = Field(pattern=about.pattern, min_length=about.min_length, max_length=about.max_length)
        return (
            Annotated[kind, text, AfterValidator(_one_line)] if about.is_one_line else Annotated[kind, text]
        )
    bounds = {"gt": about.above, "ge": about.at_least, "le": about.at_most, "lt": about.below}
    stated: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
    return Annotated[kind, Field(strict=True if kind is int else None, **stated)]


def _off(value: object) -> object:
    """Return the word that YAML reads as false unless it is quoted."""
    return "off" if value is False else value


def _listed(value: object) -> object:
    """Return a number that stands alone as a list of one."""
    return (value,) if isinstance(value, int) else value


def _one_line(name: str) -> str:
    if name != name.strip() or len(name.splitlines()) != 1:
        raise ValueError("a name must be one line without spaces at either end")
    return name


DOCUMENT: Final = document_schema()
