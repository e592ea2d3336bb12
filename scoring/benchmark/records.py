"""One record a planned sample, written as Parquet.

A record has every column of GASBench's, but holds nothing that changes from one run to the next, no
times and no folder of this machine, so that two runs of one plan can be compared byte by byte.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import parquet

from scoring.cache.atomic import write_bytes_atomically

SOURCE_KIND: Final = "folder"
SCHEMA: Final = pa.schema(
    [
        ("run_id", pa.string()),
        ("run_started_at", pa.int64()),
        ("mode", pa.string()),
        ("modality", pa.string()),
        ("target_height", pa.int32()),
        ("target_width", pa.int32()),
        ("augment_level", pa.int8()),
        ("crop_prob", pa.float64()),
        ("aug_pass", pa.bool_()),
        ("dataset_name", pa.string()),
        ("iteration_index", pa.int64()),
        ("media_type", pa.string()),
        ("status", pa.string()),
        ("label", pa.int64()),
        ("predicted", pa.int64()),
        ("probs", pa.list_(pa.float64())),
        ("correct", pa.bool_()),
        ("weight", pa.float64()),
        ("inference_time_ms", pa.float64()),
        ("batch_inference_time_ms", pa.float64()),
        ("batch_id", pa.int64()),
        ("batch_size", pa.int32()),
        ("sample_seed", pa.int64()),
        ("skip_reason", pa.string()),
        ("error_message", pa.string()),
        ("source_kind", pa.string()),
        ("dataset_path", pa.string()),
        ("hf_resolved_revision", pa.string()),
        ("archive_filename", pa.string()),
        ("path_in_archive", pa.string()),
        ("source_file", pa.string()),
        ("iso_week", pa.string()),
        ("cache_relpath", pa.string()),
        ("generator_hotkey", pa.string()),
        ("generator_uid", pa.int64()),
        ("generator_name", pa.string()),
        ("generator_model", pa.string()),
        ("sample_id", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What became of one planned sample. `None` stands where a modality has no such thing.

    Columns of the schema that are no field here are empty in every row.
    """

    run_id: str
    mode: str
    modality: str
    target_height: int | None
    target_width: int | None
    augment_level: int
    crop_prob: float
    aug_pass: bool
    dataset_name: str
    dataset_path: str
    iteration_index: int
    media_type: str | None
    label: int
    predicted: int
    probs: list[float]
    correct: bool
    weight: float
    batch_id: int
    batch_size: int
    sample_seed: int
    source_file: str
    sample_id: str
    source_kind: str = SOURCE_KIND
    # A run with a sample that was skipped or failed is void, so no record says anything else.
    status: str = "ok"
    skip_reason: str | None = None
    error_message: str | None = None


def sample_id(*, group: str, file: str) -> str:
    """Return the id of a sample: it depends on its group and name, never on where the folder lies."""
    parts = (SOURCE_KIND, group, "", "", file)
    return hashlib.sha256("::".join(parts).encode()).hexdigest()[:16]


def write_records(target: Path, records: list[Record]) -> None:
    """Write the records, or nothing at all."""
    table = pa.Table.from_pylist([asdict(record) for record in records], schema=SCHEMA)
    stream = io.BytesIO()
    parquet.write_table(table, stream, compression="zstd")
    write_bytes_atomically(target, stream.getvalue())
