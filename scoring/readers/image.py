"""Images of any common kind, brought to the input contract: (N, 3, H, W), uint8, fixed order.

Decoding turns the picture upright as its EXIF data say, repeats a grey plane three times, drops
an alpha plane and scales 16 bits to 8. A picture of another size is fitted as the contract says.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from scoring.contracts import ChannelOrder, Fit, InputContract, Reader
from scoring.data.labels import LabelTable
from scoring.errors import Fault
from scoring.readers import arrays
from scoring.readers.fitting import fit
from scoring.readers.prepared import PreparedData
from scoring.readers.truth import with_truth
from scoring.readers.undecodable import Undecodable

PLANES: Final = 3
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
    _, height, width = contract.sides()
    picture = fit(read_picture(path), height, width, contract.fit)
    if contract.channel_order is ChannelOrder.RGB:
        picture = picture[:, :, ::-1]
    return np.ascontiguousarray(picture.transpose(2, 0, 1))


def read_picture(path: Path) -> Planes:
    """Return the picture as (height, width, BGR)."""
    try:
        picture = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as exc:
        raise UndecodableImage("it is too large or damaged") from exc
    if picture is None:
        raise UndecodableImage("it is not a picture, or it is damaged")
    return np.asarray(picture, dtype=np.uint8)


def _check(contract: InputContract) -> None:
    if len(contract.sides()) != PLANES or contract.shape[0] != PLANES:
        raise Fault(f"the image reader makes arrays of shape (3, H, W), not {contract.shape}")


def _key(contract: InputContract) -> tuple[object, ...]:
    # Stretching was once all there was: caches built then stay good.
    fitted = () if contract.fit is Fit.STRETCH else (contract.fit,)
    return (contract.shape, contract.channel_order, *fitted)


DECODING: Final = arrays.Decoding(
    reader=Reader.IMAGE,
    decode=decode,
    check=_check,
    key=_key,
    decoded_ahead=16,
)
