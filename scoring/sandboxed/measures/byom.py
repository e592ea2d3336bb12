"""Measures a BYOM entry: like any torch entry, and what TorchScript stores besides its parameters."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final, cast

import torch

from scoring.contracts import Outcome, Request, Task
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.counters.macs import prepare_counters
from scoring.sandboxed.counters.parameters import FREE_VALUES
from scoring.sandboxed.counters.script_storages import extra_values
from scoring.sandboxed.failures import attempt, entry_failures
from scoring.sandboxed.inputs import Pixels
from scoring.sandboxed.loaders import byom
from scoring.sandboxed.measures.torch_entry import measure_entry

WORD_BYTES: Final = 4
# torch.jit.save keeps the source's line numbers beside the code; they are no values.
NO_VALUES: Final = ".debug_pkl"


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Return parameters, MACs and warnings of a .pt file."""
    prepare_counters()
    path = package / request.main
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = byom.load(package, request)
        hidden = hidden_values(path, entry.module) if byom.is_torchscript(path) else 0
    reply = measure_entry(entry, request, pixels, channel)
    reply["parameters"] = cast(int, reply["parameters"]) + hidden
    return reply


def hidden_values(path: Path, module: torch.nn.Module) -> int:
    """Return how many values the file stores beyond the module's parameters and buffers.

    TorchScript keeps constants of a trace, lists of tensors and literals in its code, where nobody
    lists them: weights could hide there. Each four bytes are a value, or each value of a narrower
    tensor. A few are shapes and indices, and free.
    """
    tensors = [*module.parameters(), *module.buffers()]
    storages = {tensor.untyped_storage().data_ptr(): tensor for tensor in tensors}
    registered = [(each.untyped_storage().nbytes(), each.element_size()) for each in storages.values()]
    with zipfile.ZipFile(path) as archive:
        stored = sum(item.file_size for item in archive.infolist() if not item.filename.endswith(NO_VALUES))
        narrow = attempt(lambda: extra_values(archive), Task.MEASURE) or 0
    narrow -= sum(size // min(item, WORD_BYTES) - size // WORD_BYTES for size, item in registered)
    values = (stored - sum(size for size, _ in registered)) // WORD_BYTES + max(narrow, 0)
    return values if values > FREE_VALUES else 0
