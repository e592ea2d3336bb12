"""Train a baseline and pack it: `python -m competition.demo.train FOLDER/track1.zip` or `FOLDER/track2.onnx`.

A script of its own, and with the baselines' sources the only code below `competition` that may
import torch: the web process never imports it, `make demo` starts it as a process for each baseline.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from competition.demo.baselines.track1.model import Model as DigitPairs
from competition.demo.baselines.track1.model import ink_maps
from competition.demo.baselines.track2.model import Model as TamperDetector
from competition.demo.baselines.track2.model import residuals
from competition.demo.data import DemoTrack, make_samples
from competition.demo.digits import DigitSet
from scoring.files.archiving import pack

SEED = 1
SIDE = 224
SAMPLES = {DemoTrack.CLASSIFY: 3000, DemoTrack.DETECT: 2000}
EPOCHS = {DemoTrack.CLASSIFY: 5, DemoTrack.DETECT: 6}
# Residuals reach log(1 + 8 * 255) = 7.6; so many steps for each unit fill a byte.
RESIDUAL_STEPS = 33
BATCH = 64
LOADED_AT_ONCE = 64
ONNX_OPSET = 18
BASELINES = Path(__file__).parent / "baselines"


def main() -> None:
    """Write one baseline; the file appears when it is whole."""
    parser = argparse.ArgumentParser(description="Train one of the demonstration's baselines.")
    parser.add_argument("target", type=Path, help=f"a file named {' or '.join(MAKE)}")
    target: Path = parser.parse_args().target
    if target.name not in MAKE:
        parser.error(f"the file is named {' or '.join(MAKE)}")
    target.parent.mkdir(parents=True, exist_ok=True)
    _use_one_core()
    partial = target.with_name(f"partial-{target.name}")
    MAKE[target.name](partial)
    partial.replace(target)


def make_track1(target: Path) -> None:
    """Train and pack the baseline of track 1."""
    _pack_track1(train_track1(), target)


def make_track2(target: Path) -> None:
    """Train and export the baseline of track 2."""
    _export_track2(train_track2(), target)


MAKE = {"track1.zip": make_track1, "track2.onnx": make_track2}


def _use_one_core() -> None:
    """Small layers gain little from a second thread, and two that wait for each other lose much."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def train_track1() -> DigitPairs:
    """Train on ink maps, which are 49 times smaller than the pictures and computed once."""
    torch.manual_seed(SEED)
    model = DigitPairs()
    pictures, labels = _load(DemoTrack.CLASSIFY, lambda batch: ink_maps(_as_input(batch)))
    _fit(
        model,
        DemoTrack.CLASSIFY,
        pictures,
        labels,
        lambda maps, classes: nn.functional.nll_loss(model.logits_of_maps(maps), classes),
    )
    return model


def train_track2() -> TamperDetector:
    """Train on residuals, computed once and kept in bytes, since the pictures are too many for floats."""
    torch.manual_seed(SEED)
    model = TamperDetector()
    pictures, labels = _load(
        DemoTrack.DETECT, lambda batch: (residuals(_as_input(batch)) * RESIDUAL_STEPS).round().byte()
    )
    _fit(
        model,
        DemoTrack.DETECT,
        pictures,
        labels,
        lambda traces, tampered: nn.functional.binary_cross_entropy_with_logits(
            model.logits_of_residuals(traces / RESIDUAL_STEPS)[:, 0], tampered.float()
        ),
    )
    return model


def _load(track: DemoTrack, prepare: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Return prepared training pictures and labels, never holding more raw pictures than a batch."""
    _say(f"{track}: making {SAMPLES[track]:,} pictures to train on")
    pictures, labels = [], []
    for batch in _batches(track):
        pictures.append(prepare(torch.stack([picture for picture, _ in batch])))
        labels += [label for _, label in batch]
    return torch.cat(pictures), torch.tensor(labels)


def _batches(track: DemoTrack) -> Iterator[list[tuple[Tensor, int]]]:
    batch = []
    for sample in make_samples(track, DigitSet.TRAIN, SAMPLES[track], SEED):
        batch.append(
            (torch.from_numpy(np.ascontiguousarray(sample.picture.transpose(2, 0, 1))), sample.label)
        )
        if len(batch) == LOADED_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _as_input(batch: Tensor) -> Tensor:
    return batch.float() / 255


def _fit(
    model: nn.Module,
    track: DemoTrack,
    pictures: Tensor,
    labels: Tensor,
    loss_of: Callable[[Tensor, Tensor], Tensor],
) -> None:
    # Processors convolve about a third faster where the channels lie side by side.
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in its stubs
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    steps = EPOCHS[track] * (len(labels) // BATCH)
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=6e-3, total_steps=steps)
    model.train()
    for epoch in range(EPOCHS[track]):
        order = torch.randperm(len(labels))[: len(labels) // BATCH * BATCH].view(-1, BATCH)
        total = 0.0
        for chosen in order:
            loss = loss_of(pictures[chosen], labels[chosen])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimiser.step()
            schedule.step()
            total += loss.item()
        _say(f"{track}: epoch {epoch + 1}/{EPOCHS[track]}: loss {total / len(order):.3f}")
    model.to(memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]  # not in its stubs


def _pack_track1(model: DigitPairs, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        torch.save(model.state_dict(), Path(folder, "weights.pt"))
        shutil.copy(BASELINES / "track1" / "model.py", folder)
        pack(Path(folder), target)


def _export_track2(model: TamperDetector, target: Path) -> None:
    # torch's exporter still compares with a name that torch has deprecated.
    warnings.filterwarnings("ignore", message=".*LeafSpec", category=FutureWarning)
    torch.onnx.export(
        model,
        (torch.rand(2, 3, SIDE, SIDE),),
        target,
        input_names=["images"],
        output_names=["confidence"],
        dynamic_shapes={"images": {0: torch.export.Dim("batch")}},
        opset_version=ONNX_OPSET,
        external_data=False,
        dynamo=True,
        verbose=False,
    )


def _say(text: str) -> None:
    print(text, flush=True)  # a script that a person watches


if __name__ == "__main__":
    main()
