"""What an entry and its graph are both asked: all samples together, and the last of them one by one."""

from __future__ import annotations

from scoring.contracts import ALONE
from scoring.sandboxed.channel import Channel
from scoring.sandboxed.inputs import Pixels, groups
from scoring.sandboxed.loaders.torch_entry import TorchEntry


def append_answers(entry: TorchEntry, pixels: Pixels, channel: Channel, *, batch: int | None) -> None:
    """Append a row for each sample, then one for each of the last `ALONE`, which answered alone.

    If `batch` is the only one that the graph takes, all are asked once.
    """
    channel.append_rows(entry.predict(pixels))
    if batch is None:
        for sample in groups(pixels[-ALONE:], 1):
            channel.append_rows(entry.predict(sample))
