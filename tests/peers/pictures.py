"""Picture files of many formats and modes, one of each kind that people upload."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

ORIENTATION = 0x0112
MODES = {
    "png": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "jpg": ("L", "RGB", "CMYK"),
    "webp": ("RGB", "RGBA"),
    "bmp": ("1", "L", "P", "RGB"),
    "tif": ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16"),
}
SIZES = ((224, 224), (301, 207), (97, 640), (640, 97), (33, 21), (4, 6))


def painting(height: int, width: int) -> Image.Image:
    """Return shapes with soft and hard edges under a little noise."""
    down, across = np.mgrid[0:height, 0:width]
    random = np.random.default_rng(height * 1_000 + width)
    planes = [128 + 100 * np.sin(down / 9 + across / (7 + plane)) for plane in range(3)]
    planes = np.stack(planes, axis=-1) + random.normal(0, 8, (height, width, 3))
    planes[height // 3 : height // 2, width // 4 : width // 2] = (250, 20, 90)
    return Image.fromarray(planes.clip(0, 255).astype(np.uint8))


def in_mode(picture: Image.Image, mode: str) -> Image.Image:
    if mode == "I;16":
        return Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    return picture.convert(mode)


def write_pictures(folder: Path) -> list[Path]:
    """Write every mode in every format, every size, qualities and progressive JPEG, and all orientations."""
    found = []

    def save(name: str, picture: Image.Image, **options: object) -> None:
        picture.save(folder / name, **options)
        found.append(folder / name)

    for suffix, modes in MODES.items():
        for mode in modes:
            name = f"mode-{mode.replace(';', '')}.{suffix}"
            save(name, in_mode(painting(180, 260), mode))
    for height, width in SIZES:
        save(f"size-{height}x{width}.png", painting(height, width))
        save(f"size-{height}x{width}.jpg", painting(height, width), quality=92)
    for subsampling in (0, 1, 2):
        save(f"sampled-{subsampling}.jpg", painting(181, 263), quality=70, subsampling=subsampling)
    save("progressive.jpg", painting(181, 263), progressive=True)
    save("lossless.webp", painting(181, 263), lossless=True)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        save(f"turned-{orientation}.jpg", painting(180, 260), exif=exif)
    return found
