"""Images of any common kind, brought to the input contract: (N, 3, H, W), uint8, fixed order.

Decoding turns the picture upright as its EXIF data say, repeats a grey plane three times, drops
an alpha plane and scales 16 bits to 8. A picture of another size is stretched to H x W: by area
when it shrinks in both directions, else bilinearly.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from scoring.contracts import ChannelOrder, InputContract
from scoring.errors import Fault
from scoring.labels import DatasetProblem, LabelRow, read_labels
from scoring.readers.cache import obtain
from scoring.readers.digests import files_state, remembered_digest
from scoring.readers.prepared import PreparedData, prepared, shuffled

VERSION: Final = "1"
PLANES: Final = 3
DECODERS: Final = 2
DECODED_AHEAD: Final = 16
SAMPLES: Final = Path(__file__).parent.parent / "presets" / "samples"

Planes = NDArray[np.uint8]
T = TypeVar("T")


class UndecodableImage(ValueError):
    """A file is not an image that can be decoded."""


def prepare(
    dataset: Path, *, contract: InputContract, cache: Path, tick: Callable[[], None] = lambda: None
) -> PreparedData:
    """Bring the dataset to the contract in `cache`, once for all evaluations of one version of it.

    `tick` is called at least every few images; what it raises ends the work. Raises `Fault` when
    the dataset cannot be read, with words for the organiser.
    """
    try:
        return _prepare(dataset, contract, cache, tick)
    except DatasetProblem as exc:
        raise Fault(f"the dataset cannot be used: {exc}") from exc
    except OSError as exc:
        raise Fault(f"the dataset or its cache cannot be read or written: {exc.strerror}") from exc


def probe_inputs(contract: InputContract, workdir: Path) -> Path:
    """Write the sample photographs that ship with Podium, brought to the contract, as an .npy file."""
    target = workdir / "probe.npy"
    photographs = sorted(SAMPLES.glob("*.png"))
    with target.open("wb") as stream:
        _write_header(stream, len(photographs), contract)
        for photograph in photographs:
            stream.write(decode(photograph, contract).tobytes())
    return target


def find_undecodable(dataset: Path) -> tuple[str, ...]:
    """Decode every image of the dataset and return a finding for each that fails."""
    rows = read_labels(dataset).rows
    found = _in_order(partial(_finding, dataset), rows)
    return tuple(finding for finding in found if finding)


def decode(path: Path, contract: InputContract) -> Planes:
    """Decode one image file to the contract's planes; raise `UndecodableImage`."""
    _, height, width = contract.sides()
    picture = _resize(_decode(path), height, width)
    if contract.channel_order is ChannelOrder.RGB:
        picture = picture[:, :, ::-1]
    return np.ascontiguousarray(picture.transpose(2, 0, 1))


def _prepare(dataset: Path, contract: InputContract, cache: Path, tick: Callable[[], None]) -> PreparedData:
    if len(contract.sides()) != PLANES or contract.shape[0] != PLANES:
        raise Fault(f"the image reader makes arrays of shape (3, H, W), not {contract.shape}")
    table = read_labels(dataset)
    state = files_state(dataset, table)
    digest = remembered_digest(dataset, table, cache=cache, state=state)
    rows = shuffled(table, digest)

    def build(stream: BinaryIO) -> None:
        _write_arrays(stream, dataset, rows, contract, tick)
        if files_state(dataset, table) != state:
            raise Fault("the dataset changed while it was being read")

    inputs = obtain(cache / f"{_key(digest, contract)}.npy", build, tick=tick)
    return prepared(table, rows, inputs=inputs, digest=digest)


def _key(digest: str, contract: InputContract) -> str:
    """Name all that the arrays depend on; dtype and range are applied later, inside the sandbox."""
    facts = json.dumps([VERSION, contract.reader, digest, contract.shape, contract.channel_order])
    return hashlib.sha256(facts.encode()).hexdigest()[:40]


def _write_arrays(
    stream: BinaryIO,
    dataset: Path,
    rows: tuple[LabelRow, ...],
    contract: InputContract,
    tick: Callable[[], None],
) -> None:
    """Stream the arrays out one by one, so that memory does not grow with the dataset."""
    _write_header(stream, len(rows), contract)
    for planes in _in_order(partial(_decode_row, dataset, contract), rows):
        stream.write(planes.data)
        tick()


def _write_header(stream: BinaryIO, samples: int, contract: InputContract) -> None:
    shape = (samples, *contract.sides())
    np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _in_order(work: Callable[[LabelRow], T], rows: Iterable[LabelRow]) -> Iterator[T]:
    """Yield the work's results in the order of the rows, a bounded number of them ahead."""
    pending: deque[Future[T]] = deque()
    with ThreadPoolExecutor(DECODERS) as pool:
        try:
            for row in rows:
                pending.append(pool.submit(work, row))
                if len(pending) > DECODED_AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _decode_row(dataset: Path, contract: InputContract, row: LabelRow) -> Planes:
    try:
        return decode(dataset / row.file, contract)
    except UndecodableImage as exc:
        raise Fault(f"row {row.number} of the dataset: the image cannot be decoded") from exc


def _finding(dataset: Path, row: LabelRow) -> str:
    try:
        _decode(dataset / row.file)
    except UndecodableImage:
        return f"row {row.number}: “{row.file}” is no image that can be decoded"
    return ""


def _decode(path: Path) -> Planes:
    """Return the picture as (height, width, BGR)."""
    try:
        picture = cv2.imdecode(np.fromfile(path, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as exc:
        raise UndecodableImage(path.name) from exc
    if picture is None:
        raise UndecodableImage(path.name)
    return np.asarray(picture, dtype=np.uint8)


def _resize(picture: Planes, height: int, width: int) -> Planes:
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = picture.shape[0] >= height and picture.shape[1] >= width
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), dtype=np.uint8)
