"""A dataset folder as organisers hand it in: `labels.csv` and the files it names.

Standard library only, so that the web process can check an import without decoding a picture.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scoring.contracts import OutputContract, OutputKind, Reader
from scoring.labels import LABELS_FILE, LabelTable, raise_findings, read_labels

HEAD_BYTES = 12


@dataclass(frozen=True, kw_only=True)
class DatasetSummary:
    """What an organiser sees after an import."""

    samples: int
    public: int
    private: int
    labels: Mapping[int, int]
    weighted: bool
    groups: int
    digest: str


def examine_dataset(folder: Path, output: OutputContract, reader: Reader = Reader.IMAGE) -> DatasetSummary:
    """Check the folder against a track's contracts and summarise it; raise `DatasetProblem`."""
    table = read_labels(folder)
    check_labels(table, output)
    check_contents(folder, table, reader)
    private = sum(row.private for row in table.rows)
    return DatasetSummary(
        samples=len(table.rows),
        public=len(table.rows) - private,
        private=private,
        labels=dict(sorted(Counter(row.label for row in table.rows).items())),
        weighted=table.weighted,
        groups=len({row.group for row in table.rows}) if table.grouped else 0,
        digest=dataset_digest(folder, table),
    )


def check_labels(table: LabelTable, output: OutputContract) -> None:
    """Raise `DatasetProblem` unless every label is a value that the output contract can predict."""
    allowed = output.width if output.kind is OutputKind.LOGITS else 2
    raise_findings(
        [
            f"row {row.number}: label {row.label} is not among 0 to {allowed - 1}"
            for row in table.rows
            if row.label >= allowed
        ]
    )


def dataset_digest(folder: Path, table: LabelTable) -> str:
    """Return "sha256:…" of `labels.csv` and of every file it names."""
    total = hashlib.sha256(b"podium dataset 1\n")
    for name in (LABELS_FILE, *sorted(row.file for row in table.rows)):
        with (folder / name).open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
        total.update(f"{len(name.encode())}:{name}:{content}\n".encode())
    return "sha256:" + total.hexdigest()


def check_contents(folder: Path, table: LabelTable, reader: Reader) -> None:
    """Look at the first bytes of each file; only decoding finds all damage, and the reader does that."""
    findings = []
    for row in table.rows:
        with (folder / row.file).open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        if not _LOOKS_RIGHT[reader](head):
            findings.append(f"row {row.number}: “{row.file}” is no PNG, JPEG, WebP, BMP or TIFF image")
    raise_findings(findings)


def _is_image(head: bytes) -> bool:
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    return head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*"))


_LOOKS_RIGHT = {Reader.IMAGE: _is_image}
