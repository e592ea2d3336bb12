"""A dataset folder as organisers hand it in: `labels.csv` and the files it names.

Standard library only, so that the web process can check an import without decoding a picture.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from scoring.contracts import HEAD_BYTES, READER_FACTS, Reader, TruthKind
from scoring.data.coco import LabelBox
from scoring.data.labels import LABELS_FILE, LabelRow, LabelTable, raise_findings

PNG_HEAD_BYTES = 26
GREY, PALETTE = 0, 3


def count_labels(table: LabelTable, rows: Iterable[LabelRow]) -> dict[int, int]:
    """Return how many samples, or boxes, each class has; nothing for masks, which are not decoded here."""
    if table.truth is TruthKind.MASKS:
        return {}
    if table.truth is TruthKind.CLASSES:
        return dict(sorted(Counter(row.label for row in rows).items()))
    return dict(sorted(Counter(box.number for row in rows for box in _boxes(row)).items()))


def _boxes(row: LabelRow) -> tuple[LabelBox, ...]:
    return row.picture.boxes if row.picture else ()


def dataset_digest(folder: Path, table: LabelTable) -> str:
    """Return "sha256:…" of `labels.csv` and of every other file of the dataset."""
    total = hashlib.sha256(b"podium dataset 1\n")
    for name in (LABELS_FILE, *table.named_files()):
        with (folder / name).open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{len(name.encode())}:{name}:{content}\n".encode())
    return "sha256:" + total.hexdigest()


def check_contents(folder: Path, table: LabelTable, reader: Reader) -> None:
    """Look at the first bytes of each file; only decoding finds all damage, and the reader does that."""
    findings = []
    for row in table.rows:
        if not READER_FACTS[reader].looks_right(_head(folder, row)):
            findings.append(f"row {row.number}: “{row.file}” is not a valid {READER_FACTS[reader].kinds}")
    findings += [
        f"row {row.number}: “{row.mask}” is not a valid PNG of class numbers (8-bit grey, or a palette)"
        for row in table.rows
        if row.mask and not _is_mask(folder / row.mask)
    ]
    raise_findings(findings)


def readers_for(folder: Path, table: LabelTable) -> tuple[Reader, ...]:
    """Return every reader that all files look right for: an MP4 may be meant as film or as sound."""
    heads = [_head(folder, row) for row in table.rows]
    return tuple(reader for reader in Reader if all(map(READER_FACTS[reader].looks_right, heads)))


def guess_reader(folder: Path, table: LabelTable) -> Reader:
    """Return the reader that the first file looks right for, that of images if none."""
    head = _head(folder, table.rows[0])
    return next((reader for reader in Reader if READER_FACTS[reader].looks_right(head)), Reader.IMAGE)


def _head(folder: Path, row: LabelRow) -> bytes:
    with (folder / row.file).open("rb") as stream:
        return stream.read(HEAD_BYTES)


def _is_mask(path: Path) -> bool:
    """Look at a PNG's header: colours are no class numbers, and few bits of grey get stretched."""
    with path.open("rb") as stream:
        head = stream.read(PNG_HEAD_BYTES)
    if len(head) < PNG_HEAD_BYTES or not head.startswith(b"\x89PNG\r\n\x1a\n"):
        return False
    bits, colours = head[24], head[25]
    return colours == PALETTE or (colours == GREY and bits == 8)
