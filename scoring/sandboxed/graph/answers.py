"""What an entry and its graph are both asked: all samples, one by one and together."""

from __future__ import annotations

from scoring.sandboxed.channel import Channel
from scoring.sandboxed.inputs import Pixels, groups
from scoring.sandboxed.loaders.torch_entry import TorchEntry


def append_answers(entry: TorchEntry, pixels: Pixels, channel: Channel) -> None:
    """Append a row for each sample and pass; a model that takes one batch only answers once."""
    sizes = (1, len(pixels)) if entry.fixed_batch is None else (len(pixels),)
    for size in sizes:
        for group in groups(pixels, size):
            channel.append_rows(entry.predict(group.copy()))
