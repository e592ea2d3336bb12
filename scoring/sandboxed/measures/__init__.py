"""Measures one entry on a few samples: does it keep the output contract, what does it use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from scoring.contracts import Format, Outcome, Request
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels
from scoring.sandboxed.loaders import Entry
from scoring.sandboxed.outputs import count_not_finite
from scoring.sandboxed.refusal import Refusal

Reply = dict[str, object]


def measure(request: Request, package: Path, pixels: Pixels) -> Reply:
    """Return the reply for a measured entry."""
    return MEASURES[request.format](request, package, pixels)


def probe(entry: Entry, request: Request, pixels: Pixels) -> None:
    """Try the entry on one sample and on all of them together; raise `Refusal` if it fails.

    A model that answers (width,) for one sample, or handles only one, is caught here.
    """
    for size in sorted({1, len(pixels)}):
        with entry_failures(Outcome.CRASHED, request.task):
            rows = entry.predict(pixels[:size])
        not_finite = count_not_finite(rows)
        if not_finite:
            raise Refusal(Outcome.NOT_FINITE, found=not_finite, total=rows.size)


def _measure_cvpr_zip(request: Request, package: Path, pixels: Pixels) -> Reply:
    from scoring.sandboxed.measures.torch_entry import measure_torch

    return measure_torch(request, package, pixels)


def _measure_onnx(request: Request, package: Path, pixels: Pixels) -> Reply:
    from scoring.sandboxed.measures.onnx_graph import measure_onnx

    return measure_onnx(request, package, pixels)


def _measure_byom(request: Request, package: Path, pixels: Pixels) -> Reply:
    from scoring.sandboxed.measures.byom import measure_byom

    return measure_byom(request, package, pixels)


MEASURES: Final[dict[Format, Callable[[Request, Path, Pixels], Reply]]] = {
    Format.CVPR_ZIP: _measure_cvpr_zip,
    Format.ONNX: _measure_onnx,
    Format.QAIHUB: _measure_cvpr_zip,
    Format.GASBENCH: _measure_cvpr_zip,
    Format.BYOM: _measure_byom,
}
