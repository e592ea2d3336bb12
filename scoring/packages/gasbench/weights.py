"""Which safetensors files hold the weights: one, or the shards that an index in Hugging Face's form names."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any, Final

from scoring.packages.gasbench.config import DEFAULT_WEIGHTS, INDEX_SUFFIX
from scoring.packages.safetensors_header import InvalidWeights, printable

DEFAULT_INDEX: Final = "model.safetensors.index.json"
MAX_INDEX_BYTES: Final = 4 * 2**20
MAX_SHARDS: Final = 100


def chosen_weights(root: Path, stated: str) -> str:
    """Return the stated path; where that is the usual one and only its index is there, the index."""
    only_index = not (root / stated).is_file() and (root / DEFAULT_INDEX).is_file()
    return DEFAULT_INDEX if stated == DEFAULT_WEIGHTS and only_index else stated


def files_of(root: Path, weights: str) -> tuple[str, ...]:
    """Return the files that hold the values, shards in the order of their names; raise `InvalidWeights`."""
    if not weights.endswith(INDEX_SUFFIX):
        return (weights,)
    folder = PurePosixPath(weights).parent
    return tuple(str(folder / name) for name in _shards(root / weights))


def _shards(index: Path) -> list[str]:
    if index.stat().st_size > MAX_INDEX_BYTES:
        raise InvalidWeights(f"it takes more than {MAX_INDEX_BYTES:,} bytes")
    try:
        document: Any = json.loads(index.read_bytes())
    except (ValueError, RecursionError) as exc:
        raise InvalidWeights("it is not valid JSON") from exc
    table = document.get("weight_map") if isinstance(document, dict) else None
    if not isinstance(table, dict) or not table or not all(isinstance(name, str) for name in table.values()):
        raise InvalidWeights("its weight_map is not a mapping from the names of tensors to files")
    names = sorted(set(table.values()))
    if len(names) > MAX_SHARDS:
        raise InvalidWeights(f"it names {len(names)} files; at most {MAX_SHARDS} are allowed")
    astray = [name for name in names if PurePosixPath(name).name != name or not name.endswith(".safetensors")]
    if astray:
        raise InvalidWeights(f"it names “{printable(astray[0])}”, which is not a .safetensors file beside it")
    return names
