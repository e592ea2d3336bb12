"""Zip entries, eager torch: images a second against a plain DataLoader loop, second evaluation on the same data."""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tests.benchmarks.models import (
    measured_in_child,
    paired_medians,
    sandboxed_rate,
    say,
    write_images,
    write_zip_entry,
)

MODULE = "tests.benchmarks.bench_zip_engine"
BOUNDS = {"resnet50": 1.6, "mobilenet_v3_small": 2.0}
LENGTHS = {"resnet50": (32, 224), "mobilenet_v3_small": (128, 2_048)}


def main() -> int:
    """Print both ratios; return 1 if one is below its bound."""
    ratios = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, (few, many) in LENGTHS.items():
            for samples in (few, many):
                write_images(root / name / str(samples), samples)
            entry = write_zip_entry(root / f"{name}.zip", name)
            peer, ours = paired_medians(
                partial(measured_in_child, MODULE, name, root / name / str(many)),
                partial(sandboxed_rate, entry, root / name, root / "cache", few=few, many=many),
            )
            ratios[name] = ours / peer
            say(model=name, dataloader=round(peer, 1), podium=round(ours, 1), ratio=round(ours / peer, 2))
            say(bound=BOUNDS[name])
    return int(any(ratios[name] < bound for name, bound in BOUNDS.items()))


def plain_loop(name: str, folder: Path) -> float:
    """Return images a second of the loop that anybody would write first."""
    import cv2
    import torch
    from torch.utils.data import DataLoader, Dataset

    from scoring.sandboxed.torchvision_ops import declare_missing_operators

    declare_missing_operators()
    import torchvision

    class Images(Dataset):
        def __init__(self) -> None:
            self.files = sorted(folder.glob("*.jpg"))

        def __len__(self) -> int:
            return len(self.files)

        def __getitem__(self, index: int) -> torch.Tensor:
            picture = cv2.resize(cv2.imread(str(self.files[index])), (224, 224))
            return torch.from_numpy(picture).permute(2, 0, 1).float() / 255

    torch.manual_seed(0)
    model = getattr(torchvision.models, name)(num_classes=100).float().eval()
    images = Images()
    with torch.no_grad():
        model(torch.stack([images[0], images[1]]))
        started = time.perf_counter()
        for batch in DataLoader(images, batch_size=32):
            model(batch)
        return len(images) / (time.perf_counter() - started)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(plain_loop(sys.argv[1], Path(sys.argv[2])))
        sys.exit()
    sys.exit(main())
