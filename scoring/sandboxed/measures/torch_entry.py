"""Measures a torch entry: loads it with the counters already bound, probes it, counts."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from scoring.contracts import Outcome, Request
from scoring.sandboxed.channel import Channel, Reply
from scoring.sandboxed.counters.left_alive import NOTHING, unregistered_arrays
from scoring.sandboxed.counters.macs import count_macs, prepare_counters
from scoring.sandboxed.counters.parameters import count_parameters
from scoring.sandboxed.failures import entry_failures
from scoring.sandboxed.inputs import Pixels, pad
from scoring.sandboxed.loaders import load_entry
from scoring.sandboxed.loaders.torch_entry import TorchEntry
from scoring.sandboxed.measures import probe
from scoring.sandboxed.measures.captured import capture_entry

MAX_COUNTED_SAMPLES = 4


def run(request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
    """Return parameters, MACs and warnings of a package with code."""
    prepare_counters()
    with entry_failures(Outcome.LOAD_FAILED, request.task):
        entry = cast(TorchEntry, load_entry(package, request))
    return measure_entry(entry, request, pixels, channel)


def measure_entry(entry: TorchEntry, request: Request, paced: Pixels, channel: Channel) -> Reply:
    """Return parameters, MACs and warnings of an entry that has just been loaded."""
    # What runs is in the graph, where there is one; nothing else that an entry holds is of use to it then.
    left_alive = NOTHING if request.graph_only else unregistered_arrays(ours=[paced])
    pixels = paced[: request.samples].copy()
    probe(entry, request, pixels)
    with entry_failures(Outcome.CRASHED, request.task):
        # After the probe: lazy modules get their parameters with the first forward.
        registered = count_parameters(entry.module, NOTHING)
        held = count_parameters(entry.module, left_alive)
    not_captured = capture_entry(entry, request, paced, channel) if request.trials else ""
    parameters = registered if request.trials and not not_captured else held
    # A graph that is not believed has its entry measured once more, without one.
    counted = 1 if request.trials and not not_captured else MAX_COUNTED_SAMPLES
    samples = [
        entry.tensor(pad(pixels[place : place + 1], entry.fixed_batch or 1))
        for place in range(min(len(pixels), counted))
    ]
    macs = count_macs(entry.module, samples)
    untrained = [] if parameters.trainable else [{"code": "no_trainable_parameters", "facts": {}}]
    return {
        "outcome": Outcome.OK,
        "parameters": parameters.total,
        "trainable_parameters": parameters.trainable,
        "macs_by_counter": macs.by_counter,
        "uncounted_ops": list(macs.uncounted_ops),
        "warnings": [*entry.warnings, *untrained],
        "not_captured": not_captured,
    }
