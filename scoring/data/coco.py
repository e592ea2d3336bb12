"""`annotations.json` of a dataset folder: boxes in COCO's format, checked with all findings at once.

Only `images`, `categories` and `annotations` are read, of the last only `bbox`, `category_id`,
`image_id` and `iscrowd`. Class k is the k-th category by ascending id, whatever the ids are.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeGuard

from scoring.data.dataset_files import composed

ANNOTATIONS_FILE: Final = "annotations.json"
MAX_ANNOTATIONS_BYTES: Final = 2**29
MAX_SIDE: Final = 10**6
# Tools round; a box may stand out of its picture by so many pixels.
TOLERANCE: Final = 1.0
SECTIONS: Final = ("images", "categories", "annotations")


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelBox:
    """One true box in pixels of the upright picture; a crowd is a region that is never missed."""

    left: float
    top: float
    right: float
    bottom: float
    number: int
    crowd: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AnnotatedPicture:
    """The size that the annotations are for, and the boxes."""

    width: int
    height: int
    boxes: tuple[LabelBox, ...]


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """Pictures by file name, composed (NFC); `classes` are the categories' names in their order.

    `warnings` say which boxes were left out.
    """

    pictures: Mapping[str, AnnotatedPicture]
    classes: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def read_annotations(path: Path, findings: list[str]) -> Annotations:
    """Read and check the file; problems are added to the findings and left out of the result."""
    nothing = Annotations(pictures={}, classes=())
    document = _document(path, findings)
    if document is None:
        return nothing
    categories = _by_id(document, "categories", findings, _category_problem)
    images = _by_id(document, "images", findings, _image_problem)
    numbers = {category: number for number, category in enumerate(sorted(categories))}
    boxes: dict[int, list[LabelBox]] = {image: [] for image in images}
    warnings: list[str] = []
    for place, annotation in enumerate(document["annotations"]):
        if why := _annotation_problem(annotation, images, numbers):
            findings.append(f"{path.name}: annotations[{place}] {why}")
            continue
        image = images[annotation["image_id"]]
        if why := _no_area(annotation["bbox"]):
            warnings.append(f"{path.name}: annotations[{place}] of “{image['file_name']}” is left out: {why}")
            continue
        boxes[image["id"]].append(_box(annotation, numbers[annotation["category_id"]]))
    pictures: dict[str, AnnotatedPicture] = {}
    for number, image in images.items():
        name = composed(image["file_name"])
        if name in pictures:
            findings.append(f"{path.name}: “{image['file_name']}” is listed twice")
        pictures[name] = AnnotatedPicture(
            width=image["width"], height=image["height"], boxes=tuple(boxes[number])
        )
    names = tuple(str(categories[category]["name"]) for category in sorted(categories))
    return Annotations(pictures=pictures, classes=names, warnings=tuple(warnings))


def _document(path: Path, findings: list[str]) -> dict[str, list[Any]] | None:
    if path.stat().st_size > MAX_ANNOTATIONS_BYTES:
        findings.append(f"{path.name} is larger than {MAX_ANNOTATIONS_BYTES:,} bytes")
        return None
    try:
        document = json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as exc:
        findings.append(f"{path.name} is not valid JSON ({exc})")
        return None
    if not isinstance(document, dict):
        findings.append(f"{path.name} must be an object with {', '.join(SECTIONS)}")
        return None
    missing = [name for name in SECTIONS if not isinstance(document.get(name), list)]
    findings += [f"{path.name}: “{name}” is missing or not a list" for name in missing]
    return None if missing else document


def _by_id(
    document: dict[str, list[Any]], section: str, findings: list[str], problem: Callable[[Any], str]
) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for place, item in enumerate(document[section]):
        why = problem(item)
        if not why and item["id"] in found:
            why = f"has the id {item['id']}, which another already has"
        if why:
            findings.append(f"{ANNOTATIONS_FILE}: {section}[{place}] {why}")
            continue
        found[item["id"]] = item
    return found


def _category_problem(item: Any) -> str:
    if not isinstance(item, dict) or not _is_whole(item.get("id")):
        return "has no whole number as its id"
    return "" if isinstance(item.get("name"), str) else "has no name"


def _image_problem(item: Any) -> str:
    if not isinstance(item, dict) or not _is_whole(item.get("id")):
        return "has no whole number as its id"
    if not isinstance(item.get("file_name"), str):
        return "has no file_name"
    sides: tuple[object, object] = (item.get("width"), item.get("height"))
    if not all(_is_whole(side) and 0 < side <= MAX_SIDE for side in sides):
        return "has no width and height in pixels"
    return ""


def _annotation_problem(item: Any, images: Mapping[int, Any], numbers: Mapping[int, int]) -> str:
    if not isinstance(item, dict):
        return "is not an object"
    return next(_annotation_problems(item, images, numbers), "")


def _annotation_problems(
    item: dict[str, Any], images: Mapping[int, Any], numbers: Mapping[int, int]
) -> Iterator[str]:
    image_id, category_id = item.get("image_id"), item.get("category_id")
    if not _is_whole(image_id) or image_id not in images:
        yield f"names the image {image_id!r}, which is not listed"
    if not _is_whole(category_id) or category_id not in numbers:
        yield f"names the category {category_id!r}, which is not listed"
    if item.get("iscrowd", 0) not in (0, 1):
        yield "has an iscrowd that is neither 0 nor 1"
    box = item.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(_is_finite(side) for side in box):
        yield "has no bbox of four numbers"
        return
    left, top, width, height = box
    if width < 0 or height < 0:
        yield f"has a bbox of negative width or height ({width:g} x {height:g})"
    image = images.get(image_id) if _is_whole(image_id) else None
    if image and (
        min(left, top) < -TOLERANCE
        or left + width > image["width"] + TOLERANCE
        or top + height > image["height"] + TOLERANCE
    ):
        yield f"has a bbox that extends outside its picture of {image['width']} x {image['height']}"


def _no_area(bbox: list[float]) -> str:
    """Say why a box can be found by nobody: tools write such ones for a click without a drag."""
    _, _, width, height = bbox
    return "" if width and height else f"its bbox is {width:g} x {height:g} and has no area"


def _box(annotation: dict[str, Any], number: int) -> LabelBox:
    left, top, width, height = (float(side) for side in annotation["bbox"])
    return LabelBox(
        left=left,
        top=top,
        right=left + width,
        bottom=top + height,
        number=number,
        crowd=annotation.get("iscrowd", 0) == 1,
    )


def _is_whole(value: object) -> TypeGuard[int]:
    """Say whether a JSON value is a whole number; Python counts true as one, and this does not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
