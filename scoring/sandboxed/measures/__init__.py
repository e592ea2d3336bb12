"""How an entry of each format is measured on a few samples: does it keep the output contract, what does it use."""

from __future__ import annotations

from scoring.contracts import Outcome, Request
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels
from scoring.sandboxed.loaders import Entry
from scoring.sandboxed.outputs import count_not_finite
from scoring.sandboxed.refusal import Refusal


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
