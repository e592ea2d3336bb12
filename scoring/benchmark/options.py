"""What the user chooses of a benchmark run, and what a track cannot give a meaning to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scoring.benchmark.chunks import whole_batches
from scoring.benchmark.outcomes import tells_real_from_rest
from scoring.benchmark.plan import DEFAULT_SEED, Mode
from scoring.benchmark.shares import Shares
from scoring.contracts import TRUTH_BY_OUTPUT, Reader, TrackSpec, TruthKind
from scoring.readers.copies import Treatment

CHUNK_SAMPLES: Final = 1_024


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user chose. Without `results_dir` nothing is kept, and an interrupted run starts again.

    `augmented` is how many samples of each group are scored once more after the robustness suite.
    Without `shares` a sample counts as its row of `labels.csv` says.
    """

    mode: Mode = Mode.ALL
    seed: int = DEFAULT_SEED
    batch_size: int | None = None
    results_dir: Path | None = None
    chunk_samples: int = CHUNK_SAMPLES
    augmented: int = 0
    augment_level: int = 0
    crop_probability: float = 0.0
    shares: Shares | None = None

    @property
    def treatment(self) -> Treatment:
        """Return the random changes that every sample gets."""
        return Treatment(level=self.augment_level, crop_probability=self.crop_probability)

    def whole_chunk(self, track: TrackSpec) -> int:
        """Return how many samples a chunk has: whole batches, so that their make-up is always the same."""
        return whole_batches(self.chunk_samples, batch_size=track.run_limits.batch_size)


def why_unsuitable(track: TrackSpec, options: Options) -> str | None:
    """Say why the run has no meaning on the track; None where it has one."""
    truth = TRUTH_BY_OUTPUT[track.output.kind]
    if truth is not TruthKind.CLASSES:
        return (
            f"a benchmark run needs a track whose labels are classes, but this one is scored against {truth}; "
            "score it without a mode and without the options of a benchmark run"
        )
    if options.augmented and not tells_real_from_rest(track):
        return "--augmented needs a track with the metric sn34_score"
    if options.treatment.changes_anything and track.input.reader is Reader.AUDIO:
        return "--augment-level and --crop-prob are only for pictures and video"
    return None
