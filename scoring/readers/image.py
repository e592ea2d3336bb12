"""Images of any common kind, brought to the input contract: (N, 3, H, W), uint8, fixed order.

Decoding repeats a grey plane three times and drops an alpha plane. OpenCV scales 16 bits to 8; Pillow cuts
off what 8 bits cannot hold. The contract says which of them decodes, whether pictures are turned upright
as their EXIF data say, and how those of another size are fitted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from scoring.contracts import ChannelOrder, Decoder, Fit, InputContract, Orientation, Reader
from scoring.data.labels import LabelTable
from scoring.errors import Fault
from scoring.readers import arrays
from scoring.readers.fitting import fit, fit_key
from scoring.readers.prepared import PreparedData
from scoring.readers.truth import with_truth
from scoring.readers.undecodable import Undecodable

PLANES: Final = 3
# What Pillow raises of damaged files, by their kind.
PILLOW_ERRORS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
)
PILLOW_SAYS_DAMAGED: Final = ("decoder error", "image file is truncated")
TIFF_MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
SAMPLES: Final = Path(__file__).parent.parent / "presets" / "samples"

Planes = NDArray[np.uint8]


class UndecodableImage(Undecodable):
    """A file is not an image that can be decoded."""


def prepare(
    dataset: Path,
    *,
    contract: InputContract,
    cache: Path,
    tick: Callable[[], None] = lambda: None,
    table: LabelTable | None = None,
) -> PreparedData:
    """Bring the dataset to the contract in `cache`, its masks and boxes too; see `arrays.prepare`."""
    table = table or arrays.read_table(dataset)
    pictures = arrays.prepare(DECODING, dataset, contract=contract, cache=cache, tick=tick, table=table)
    return with_truth(pictures, dataset, table, contract=contract, tick=tick)


def probe_inputs(contract: InputContract, workdir: Path) -> Path:
    """Write the sample photographs that ship with Podium, brought to the contract, as an .npy file."""
    photographs = sorted(SAMPLES.glob("*.png"))
    pictures = (decode(photograph, contract) for photograph in photographs)
    return arrays.write_samples(workdir / "probe.npy", contract, pictures, count=len(photographs))


def decode(path: Path, contract: InputContract) -> Planes:
    """Decode one image file to the contract's planes; raise `UndecodableImage`."""
    picture = fit(read_picture(path, contract), contract)
    if contract.channel_order is ChannelOrder.RGB:
        picture = picture[:, :, ::-1]
    return np.ascontiguousarray(picture.transpose(2, 0, 1))


def read_picture(path: Path, contract: InputContract) -> Planes:
    """Return the picture as (height, width, BGR), at its own size."""
    return _DECODERS[contract.decoder](path, contract.orientation)


def _by_opencv(path: Path, orientation: Orientation) -> Planes:
    turned = 0 if orientation is Orientation.UPRIGHT else cv2.IMREAD_IGNORE_ORIENTATION
    try:
        picture = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR | turned)
    except cv2.error as exc:
        raise UndecodableImage("it is too large or damaged") from exc
    if picture is None:
        raise UndecodableImage("it is not a picture, or it is damaged")
    _check_tiff(path)
    return np.asarray(picture, dtype=np.uint8)


def _check_tiff(path: Path) -> None:
    """Refuse a TIFF whose data are damaged: OpenCV prints what libtiff says and leaves those rows empty."""
    with path.open("rb") as file:
        if file.read(4) not in TIFF_MAGIC:
            return
    try:
        with Image.open(path) as picture:
            picture.load()
    except PILLOW_ERRORS as exc:
        # Of kinds that only OpenCV reads, Pillow says other things.
        if str(exc).startswith(PILLOW_SAYS_DAMAGED):
            raise UndecodableImage("it is damaged") from exc


def _by_pillow(path: Path, orientation: Orientation) -> Planes:
    try:
        with Image.open(path) as picture:
            seen = ImageOps.exif_transpose(picture) if orientation is Orientation.UPRIGHT else picture
            return np.ascontiguousarray(np.asarray(seen.convert("RGB"))[:, :, ::-1])
    except UnidentifiedImageError as exc:
        raise UndecodableImage("it is not a picture, or it is damaged") from exc
    except PILLOW_ERRORS as exc:
        raise UndecodableImage("it is too large or damaged") from exc


_DECODERS: Final[Mapping[Decoder, Callable[[Path, Orientation], Planes]]] = {
    Decoder.OPENCV: _by_opencv,
    Decoder.PILLOW: _by_pillow,
}


def _check(contract: InputContract) -> None:
    if len(contract.sides()) != PLANES or contract.shape[0] != PLANES:
        raise Fault(f"the image reader makes arrays of shape (3, H, W), not {contract.shape}")


def _key(contract: InputContract) -> tuple[object, ...]:
    # What was once all there was is left out: caches built then stay good.
    fitted = () if contract.fit is Fit.STRETCH else fit_key(contract)
    read = (contract.decoder, contract.orientation)
    other = () if read == (Decoder.OPENCV, Orientation.UPRIGHT) else read
    return (contract.shape, contract.channel_order, *fitted, *other)


DECODING: Final = arrays.Decoding(
    reader=Reader.IMAGE,
    decode=decode,
    check=_check,
    key=_key,
    decoded_ahead=16,
)
