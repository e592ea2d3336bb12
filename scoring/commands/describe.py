"""What belongs into a model folder's info.yaml, as the sandbox measured it."""

from __future__ import annotations

from typing import Any

import yaml

from scoring.contracts import ScoreReport, TrackSpec

BYTES_A_FLOAT = 4


def technical_details(report: ScoreReport, track: TrackSpec) -> str:
    """Return the measured half of info.yaml as YAML: resolution, parameters, size and MACs."""
    usage = report.usage
    sides = [side for side in track.input.shape[-2:] if side is not None]
    details: dict[str, Any] = {
        "Number of parameters": in_millions(usage.parameters),
        "Model size (float)": in_megabytes(usage.parameters * BYTES_A_FLOAT),
        "Number of MACs": in_millions(usage.macs),
    }
    if len(sides) == 2:
        details = {"Input resolution": "x".join(map(str, sides)), **details}
    return yaml.safe_dump({"technical_details": details}, sort_keys=False)


def in_millions(count: int) -> str:
    """Return a count in thousands, millions or thousands of millions, with three digits that count."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


def in_megabytes(count: int) -> str:
    """Return bytes in units of 1,024, as info.yaml files do."""
    for unit, size in (("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"
