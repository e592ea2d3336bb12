"""Zip entries, eager torch: images a second against a plain DataLoader loop, second evaluation on the same data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.benchmarks.entries import engine_figures, write_zip_entry
from tests.benchmarks.figures import Figure

BOUNDS: Final = {"resnet50": 1.6, "mobilenet_v3_small": 2.0}


def bench() -> Iterator[Figure]:
    """Yield the ratio for each network."""
    yield from engine_figures("zip, to a DataLoader loop", write_zip_entry, plain_loop, BOUNDS)


def plain_loop(entry: str, folder: str) -> float:
    """Return images a second of the loop that anybody would write first."""
    import cv2
    import torch
    from torch.utils.data import DataLoader, Dataset

    from scoring.sandboxed.torchvision_ops import declare_missing_operators

    declare_missing_operators()
    import torchvision

    class Images(Dataset):
        def __init__(self) -> None:
            self.files = sorted(Path(folder).glob("*.jpg"))

        def __len__(self) -> int:
            return len(self.files)

        def __getitem__(self, index: int) -> torch.Tensor:
            picture = cv2.resize(cv2.imread(str(self.files[index])), (224, 224))
            return torch.from_numpy(picture).permute(2, 0, 1).float() / 255

    torch.manual_seed(0)
    model = getattr(torchvision.models, Path(entry).stem)(num_classes=100).float().eval()
    images = Images()
    with torch.no_grad():
        model(torch.stack([images[0], images[1]]))
        started = time.perf_counter()
        for batch in DataLoader(images, batch_size=32):
            model(batch)
        return len(images) / (time.perf_counter() - started)
