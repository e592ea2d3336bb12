"""Whether the model that a BYOM package describes fits what the track feeds and asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from scoring.contracts import BOX_FIELDS, Finding, OutputContract, OutputKind, Reader, TrackSpec
from scoring.packages.byom.agreement import Stated, class_counts, output_shape
from scoring.packages.byom.documents import CONFIG, MOCHI, Mapping, problem, shown
from scoring.packages.byom.fields import first_stage, shape_problems

# Each size costs a copy of the dataset and memory for a batch; without a bound, one entry fills the disk.
MAX_SIDE: Final = 1024
MAX_BATCH: Final = 64
TWO_CLASSES: Final = 2
BOX_SIDES: Final = 4
# A classifier of two classes gives a confidence too, that of its second class.
KINDS_BY_TYPE: Final = {
    "classification": (OutputKind.LOGITS, OutputKind.CONFIDENCE),
    "multi_class_classification": (OutputKind.LOGITS,),
    "anomaly_detection": (OutputKind.CONFIDENCE, OutputKind.LOGITS),
    "object_detection": (OutputKind.BOXES,),
    "semantic_segmentation": (OutputKind.CLASS_MAP,),
}
ROWS: Final = (OutputKind.LOGITS, OutputKind.CONFIDENCE)


def track_findings(config: Mapping, mochi: Mapping, manifest: Mapping, track: TrackSpec) -> Iterator[Finding]:
    """Yield where input, type, output or classes of the model are not the track's."""
    stage = first_stage(mochi)
    kind, shape = stage.get("type"), stage.get("input_shape")
    fed = shape if isinstance(shape, list) and not list(shape_problems(shape)) else None
    if track.input.reader is not Reader.IMAGE:
        yield problem(MOCHI, f"this track feeds {track.input.reader}, but BYOM packages only take pictures")
    elif fed is not None:
        yield from (problem(MOCHI, why) for why in _input_problems(fed, track.input.shape))
    wrong_type = list(_type_problems(kind, track.output.kind)) if isinstance(kind, str) else []
    yield from (problem(MOCHI, why) for why in wrong_type)
    if not wrong_type:
        yield from _answer_findings(config, mochi, manifest, fed, track.output)
    yield from _name_findings(config, track.output.class_names)


def columns_of(config: Mapping, mochi: Mapping, manifest: Mapping, output: OutputContract) -> int | None:
    """Return how many numbers the model gives a picture, by its own words; None for maps and boxes."""
    if output.kind not in ROWS:
        return None
    answer, counts = output_shape(mochi, manifest), class_counts(config, mochi, manifest)
    if answer is not None:
        return int(answer.value[-1])
    return int(counts[0].value) if counts else None


def _input_problems(shape: list[int], wanted: tuple[int | None, ...]) -> Iterator[str]:
    if any(side is not None and side != found for side, found in zip(wanted, shape[1:], strict=True)):
        sides = ", ".join("any" if side is None else str(side) for side in wanted)
        yield f"Invalid input_shape: {shown(shape)}. This track feeds [batch, {sides}]"
    if max(shape[2:]) > MAX_SIDE:
        yield f"Invalid input_shape: {shown(shape)}. Height and width may be at most {MAX_SIDE:,}"
    if shape[0] > MAX_BATCH:
        yield f"Invalid input_shape: {shown(shape)}. The batch may be at most {MAX_BATCH}"


def _kinds_of(stage_type: str) -> tuple[OutputKind, ...]:
    """Return what a model of this type may return: of the tasks whose words the type holds, the longest decides.

    `yolov10_object_detection`, `image_classification` and `Multi-Class Classification` are known so.
    """
    words = f"_{stage_type.casefold().replace('-', '_').replace(' ', '_')}_"
    known = [name for name in KINDS_BY_TYPE if f"_{name}_" in words]
    return KINDS_BY_TYPE[max(known, key=len)] if known else ()


def _type_problems(kind: str, output: OutputKind) -> Iterator[str]:
    kinds = _kinds_of(kind)
    if not kinds:
        yield f"'stages[0].type' is {shown(kind)}; choose from {', '.join(KINDS_BY_TYPE)}"
    elif output not in kinds:
        fitting = ", ".join(name for name, each in KINDS_BY_TYPE.items() if output in each)
        yield f"'stages[0].type' is {shown(kind)}; this track asks for {output} ({fitting})"


def _answer_findings(
    config: Mapping, mochi: Mapping, manifest: Mapping, fed: list[int] | None, output: OutputContract
) -> Iterator[Finding]:
    """Yield what is wrong with the output's shape, or else with the number of classes that follows."""
    shape = output_shape(mochi, manifest)
    wrong_shape = [] if fed is None or shape is None else list(_output_findings(shape, fed, output))
    columns = columns_of(config, mochi, manifest, output)
    yield from wrong_shape or _class_findings(class_counts(config, mochi, manifest), columns, output)


def _output_findings(answer: Stated, fed: list[int], output: OutputContract) -> Iterator[Finding]:
    wanted = _wanted_shapes(fed, output)
    is_known = any(_is_like(answer.value, shape) for shape in wanted)
    if not is_known and not scores_more_classes(answer.value, output):
        told = " or ".join(f"[{', '.join(map(str, shape))}]" for shape in wanted)
        yield problem(
            answer.document, f"Invalid output_shape: {shown(answer.value)}. This track asks for {told}"
        )


def scores_more_classes(shape: list[int], output: OutputContract) -> bool:
    """Say whether boxes laid out by anchors have scores for more classes than the track, as pretrained heads do.

    A head has fewer classes than anchors, which tells it from boxes that are laid out the other way round.
    """
    if output.kind is not OutputKind.BOXES or len(shape) != 3 or shape[2] == BOX_FIELDS:
        return False
    return BOX_SIDES + output.classes < shape[1] < shape[2]


def _wanted_shapes(fed: list[int], output: OutputContract) -> tuple[tuple[int | str, ...], ...]:
    """Return each shape that the answer to a batch may have; a name stands for any side.

    Documents often state the answer to one picture beside a larger batch of input.
    """
    size = fed[2:]
    if output.kind is OutputKind.LOGITS:
        return (("batch", output.width),)
    if output.kind is OutputKind.CONFIDENCE:
        return ("batch", 1), ("batch", 2)
    if output.kind is OutputKind.CLASS_MAP:
        return ("batch", output.classes, *size), ("batch", *size)
    return ("batch", BOX_SIDES + output.classes, "anchors"), ("batch", "boxes", BOX_FIELDS)


def _is_like(found: list[int], wanted: tuple[int | str, ...]) -> bool:
    sides = zip(found, wanted, strict=False)
    return len(found) == len(wanted) and all(isinstance(side, str) or side == own for own, side in sides)


def _class_findings(counts: list[Stated], columns: int | None, output: OutputContract) -> Iterator[Finding]:
    """Yield if the classes are not as many as the track's; documents that disagree are told elsewhere."""
    allowed = _allowed_counts(columns, output)
    if not counts or not allowed or len({count.value for count in counts}) > 1:
        return
    first = counts[0]
    if first.value not in allowed:
        why = f"{first.place} states {first.value} classes, but this track has {max(allowed)}"
        yield problem(first.document, why)


def _allowed_counts(columns: int | None, output: OutputContract) -> set[int]:
    """Return how many classes may be stated; boxes leave it open, as the guide's own example differs."""
    if output.kind is OutputKind.BOXES:
        return set()
    if output.kind is OutputKind.CLASS_MAP:
        return {output.classes}
    # A single number a picture tells two classes apart.
    is_confidence = output.kind is OutputKind.CONFIDENCE
    numbers = min(columns or TWO_CLASSES, TWO_CLASSES) if is_confidence else output.width
    return {numbers, max(numbers, TWO_CLASSES)}


def _name_findings(config: Mapping, wanted: tuple[str, ...]) -> Iterator[Finding]:
    """Yield if the names are the track's in another order: its classes would be taken for each other."""
    dataset = config.get("dataset")
    names: Any = dataset.get("class_names") if isinstance(dataset, dict) else None
    if not wanted or not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return
    found, own = [name.casefold() for name in names], [name.casefold() for name in wanted]
    if found != own and sorted(found) == sorted(own):
        why = f"'dataset.class_names' is {shown(names)}; this track's classes, starting from 0, are {', '.join(wanted)}"
        yield problem(CONFIG, why)
