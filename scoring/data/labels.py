"""`labels.csv`, the table of a dataset folder: every cell and every named file checked at once.

What is true of a file stands in the column `label` (a class), in a file that the column `mask` names
(a PNG of class numbers), or, with neither column, in `annotations.json` (boxes, see `coco`).

Trusts the organiser's intent, never the paths: a name must not lead out of the folder.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scoring.contracts import TruthKind
from scoring.data.coco import ANNOTATIONS_FILE, AnnotatedPicture, read_annotations
from scoring.data.dataset_files import Spelling, composed, file_finding, file_findings, unsafe

LABELS_FILE = "labels.csv"
REQUIRED_COLUMNS = ("file",)
TRUTH_COLUMNS = ("label", "mask")
OPTIONAL_COLUMNS = ("split", "weight", "group")
PUBLIC, PRIVATE = "public", "private"
MAX_FINDINGS = 50
MAX_WEIGHT = 1e6
MAX_GROUP_LENGTH = 200
MAX_LABEL_DIGITS = 9


class DatasetProblem(ValueError):
    """The folder cannot be used as a dataset; `findings` tell the organiser all that is wrong."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        self.findings = findings
        super().__init__("; ".join(findings))


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelRow:
    """One line of `labels.csv`. `number` counts rows from 1, without the header.

    `label`, `mask` or `picture` hold what is true of the file; the table says which of them.
    """

    number: int
    file: str
    label: int = 0
    private: bool = False
    weight: float = 1.0
    group: str = ""
    mask: str = ""
    picture: AnnotatedPicture | None = None


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """All rows of `labels.csv` in its order; `weighted` and `grouped` say which columns it has.

    `classes` names the classes of boxes in their order, and is empty otherwise. `warnings` tell the organiser
    what was left out.
    """

    rows: tuple[LabelRow, ...]
    weighted: bool
    grouped: bool
    truth: TruthKind = TruthKind.CLASSES
    classes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def named_files(self) -> tuple[str, ...]:
        """Return every file of the dataset beside `labels.csv`, sorted, each once."""
        names = {row.file for row in self.rows} | {row.mask for row in self.rows if row.mask}
        if self.truth is TruthKind.BOXES:
            names.add(ANNOTATIONS_FILE)
        return tuple(sorted(names))


def read_labels(folder: Path) -> LabelTable:
    """Read and check `labels.csv` and the files it names; raise `DatasetProblem` with all findings."""
    findings: list[str] = []
    rows: list[LabelRow] = []
    columns: list[str] = []
    if why := file_finding(folder / LABELS_FILE):
        raise DatasetProblem((f"{LABELS_FILE} {why}",))
    try:
        with (folder / LABELS_FILE).open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True)
            columns = next(reader, [])
            findings += _header_findings(columns, has_boxes=(folder / ANNOTATIONS_FILE).exists())
            if not findings:
                rows = list(_read_rows(reader, columns, findings))
    except UnicodeDecodeError as exc:
        raise DatasetProblem((f"{LABELS_FILE} is not UTF-8 text (byte {exc.start})",)) from exc
    except csv.Error as exc:
        findings.append(f"line {reader.line_num}: not readable as CSV ({exc})")
    truth = _truth_kind(columns)
    classes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    rows = _as_stored(folder, rows, findings)
    if truth is TruthKind.BOXES and not findings:
        rows, classes, warnings = _with_boxes(folder, rows, findings)
        if "weight" in columns:
            findings.append("line 1: boxes cannot have weights; remove the column “weight”")
    names = ((row.number, name) for row in rows for name in (row.file, row.mask) if name)
    findings += file_findings(folder, names)
    if not findings and not rows:
        findings.append(f"{LABELS_FILE} has a header but no rows")
    if not findings and all(row.private for row in rows):
        findings.append("every row is private; the public board needs at least one public row")
    raise_findings(findings)
    return LabelTable(
        rows=tuple(rows),
        weighted="weight" in columns,
        grouped="group" in columns,
        truth=truth,
        classes=classes,
        warnings=_cut(warnings),
    )


def raise_findings(findings: list[str]) -> None:
    """Raise `DatasetProblem` if anything was found; a long list is cut with its count."""
    if findings:
        raise DatasetProblem(_cut(findings))


def _cut(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) <= MAX_FINDINGS:
        return tuple(lines)
    return (*lines[:MAX_FINDINGS], f"… and {len(lines) - MAX_FINDINGS:,} more")


def _header_findings(columns: list[str], *, has_boxes: bool) -> Iterator[str]:
    known = (*REQUIRED_COLUMNS, *TRUTH_COLUMNS, *OPTIONAL_COLUMNS)
    for column in REQUIRED_COLUMNS:
        if column not in columns:
            yield f"line 1: the column “{column}” is missing"
    given = [column for column in TRUTH_COLUMNS if column in columns]
    if len(given) > 1:
        yield "line 1: use either “label” or “mask”, not both"
    if given and has_boxes:
        yield f"line 1: {ANNOTATIONS_FILE} has the labels, so remove the column “{given[0]}”"
    if not given and not has_boxes:
        yield f"line 1: the column “label” is missing (or “mask”, or the file {ANNOTATIONS_FILE})"
    for column, times in Counter(columns).items():
        if column not in known:
            yield f"line 1: unknown column “{column}”; choose from {', '.join(known)}"
        elif times > 1:
            yield f"line 1: the column “{column}” appears {times} times"


def _truth_kind(columns: list[str]) -> TruthKind:
    if "label" in columns:
        return TruthKind.CLASSES
    return TruthKind.MASKS if "mask" in columns else TruthKind.BOXES


def _as_stored(folder: Path, rows: list[LabelRow], findings: list[str]) -> list[LabelRow]:
    """Spell the files' names as the folder does; two rows must not end at one file."""
    spelling = Spelling(folder)
    spelt = [
        replace(row, file=spelling.as_stored(row.file), mask=row.mask and spelling.as_stored(row.mask))
        for row in rows
    ]
    rows_of = Counter(row.file for row in spelt)
    findings += [
        f"row {row.number}: “{row.file}” is the file of another row too"
        for row in spelt
        if rows_of[row.file] > 1
    ]
    return spelt


def _with_boxes(
    folder: Path, rows: list[LabelRow], findings: list[str]
) -> tuple[list[LabelRow], tuple[str, ...], tuple[str, ...]]:
    """Give each row its boxes, with the classes and warnings; a file that is not annotated is a finding."""
    if why := file_finding(folder / ANNOTATIONS_FILE):
        findings.append(f"{ANNOTATIONS_FILE} {why}")
        return rows, (), ()
    annotations = read_annotations(folder / ANNOTATIONS_FILE, findings)
    if not findings:
        findings += [
            f"row {row.number}: “{row.file}” is not listed in the images of {ANNOTATIONS_FILE}"
            for row in rows
            if composed(row.file) not in annotations.pictures
        ]
    with_boxes = [replace(row, picture=annotations.pictures.get(composed(row.file))) for row in rows]
    return with_boxes, annotations.classes, annotations.warnings


def _read_rows(lines: Iterator[list[str]], columns: list[str], findings: list[str]) -> Iterator[LabelRow]:
    first_line: dict[str, int] = {}
    number = 0
    for cells in lines:
        if not cells:
            continue
        number += 1
        line: int = lines.line_num  # type: ignore[attr-defined]  # csv readers have it
        if len(cells) != len(columns):
            findings.append(f"line {line}: {len(cells)} cells, but the header has {len(columns)}")
            continue
        cell = dict(zip(columns, cells, strict=True))
        problems = [*_cell_findings(cell)]
        if cell["file"] in first_line:
            problems.append(f"“{cell['file']}” is already on line {first_line[cell['file']]}")
        first_line.setdefault(cell["file"], line)
        findings += [f"line {line}: {problem}" for problem in problems]
        if not problems:
            yield _row(number, cell)


def _row(number: int, cell: Mapping[str, str]) -> LabelRow:
    return LabelRow(
        number=number,
        file=cell["file"],
        label=int(cell.get("label", 0)),
        private=cell.get("split") == PRIVATE,
        weight=float(cell.get("weight", 1.0)),
        group=cell.get("group", ""),
        mask=cell.get("mask", ""),
    )


def _cell_findings(cell: Mapping[str, str]) -> Iterator[str]:
    if why := unsafe(cell["file"]):
        yield f"the file name “{cell['file']}” {why}"
    if "mask" in cell and (why := unsafe(cell["mask"])):
        yield f"the mask's name “{cell['mask']}” {why}"
    label = cell.get("label", "0")
    if not (label.isascii() and label.isdigit() and len(label) <= MAX_LABEL_DIGITS):
        yield f"the label “{label}” is not a whole number from 0 upwards"
    if cell.get("split", PUBLIC) not in (PUBLIC, PRIVATE):
        yield f"the split “{cell['split']}” is neither public nor private"
    if not _is_weight(cell.get("weight", "1")):
        yield f"the weight “{cell['weight']}” is not a number above 0 and at most {MAX_WEIGHT:g}"
    if len(cell.get("group", "")) > MAX_GROUP_LENGTH:
        yield f"the group is longer than {MAX_GROUP_LENGTH} characters"


def _is_weight(text: str) -> bool:
    try:
        weight = float(text)
    except ValueError:
        return False
    return math.isfinite(weight) and 0 < weight <= MAX_WEIGHT
