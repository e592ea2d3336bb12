"""What all readers share: a dataset streamed into one array file, in shuffled order, built once.

One file is enough for the largest datasets: rows are written as they are decoded, the sandbox binds
the file read-only, and the child maps it and gives pages back after each batch. So neither side
ever holds more than a few samples; pieces would only add names and seams.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from scoring.cache.build import obtain
from scoring.contracts import READER_FACTS, InputContract, Reader, stored_dtype
from scoring.data.labels import DatasetProblem, LabelRow, LabelTable, read_labels
from scoring.errors import Fault
from scoring.readers.digests import files_state, remembered_digest
from scoring.readers.prepared import PreparedData, prepared, shuffled
from scoring.readers.undecodable import Failed, Undecodable, UndecodableRows

DECODERS: Final = 2

Sample = NDArray[np.uint8] | NDArray[np.float32]
T = TypeVar("T")


class Decode(Protocol):
    """Turn one file into an array of the contract's shape and of its reader's stored type."""

    def __call__(self, path: Path, contract: InputContract) -> Sample:
        """Raise `Undecodable` when the file is damaged."""


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How one reader decodes.

    `key` lists what of the contract its arrays depend on; `check` raises `Fault` for a contract that
    it cannot serve; `decoded_ahead` bounds the samples in memory.
    """

    reader: Reader
    decode: Decode
    check: Callable[[InputContract], None]
    key: Callable[[InputContract], tuple[object, ...]]
    decoded_ahead: int


def prepare(
    decoding: Decoding,
    dataset: Path,
    *,
    contract: InputContract,
    cache: Path,
    tick: Callable[[], None] = lambda: None,
    table: LabelTable | None = None,
) -> PreparedData:
    """Bring the dataset to the contract in `cache`, once for all evaluations of one version of it.

    `table` holds some of the rows of `labels.csv` and asks for these alone. `tick` is called at least
    every few samples; what it raises ends the work. Raises `Fault` when the dataset cannot be read,
    with words for the organiser.
    """
    try:
        return _prepare(decoding, dataset, contract, cache, tick, table or read_labels(dataset))
    except DatasetProblem as exc:
        raise Fault(f"the dataset cannot be used: {exc}") from exc
    except OSError as exc:
        raise Fault(f"the dataset or its cache cannot be read or written: {exc.strerror}") from exc


def read_table(dataset: Path) -> LabelTable:
    """Read `labels.csv`; raise `Fault` with words for the organiser."""
    try:
        return read_labels(dataset)
    except DatasetProblem as exc:
        raise Fault(f"the dataset cannot be used: {exc}") from exc


def write_samples(target: Path, contract: InputContract, samples: Iterable[Sample], *, count: int) -> Path:
    """Write `count` samples of the contract's shape as an .npy file."""
    with target.open("wb") as stream:
        _write_header(stream, count, contract)
        for sample in samples:
            stream.write(sample.tobytes())
    return target


def _prepare(
    decoding: Decoding,
    dataset: Path,
    contract: InputContract,
    cache: Path,
    tick: Callable[[], None],
    table: LabelTable,
) -> PreparedData:
    decoding.check(contract)
    state = files_state(dataset, table)
    digest = remembered_digest(dataset, table, cache=cache, state=state)
    rows = shuffled(table, digest)

    def build(stream: BinaryIO) -> None:
        _write_header(stream, len(rows), contract)
        # Streamed one by one, so that memory does not grow with the dataset.
        decode = partial(_decode_row, decoding, dataset, contract)
        failed: list[Failed] = []
        for decoded in _in_order(decode, rows, decoding.decoded_ahead):
            if isinstance(decoded, Failed):
                failed.append(decoded)
            elif not failed:
                stream.write(decoded.data)
            tick()
        if files_state(dataset, table) != state:
            raise Fault("the dataset changed while it was being read")
        if failed:
            raise UndecodableRows(READER_FACTS[decoding.reader].noun, failed)

    inputs = obtain(cache / f"{_key(decoding, digest, contract)}.npy", build, tick=tick)
    return prepared(table, rows, inputs=inputs, digest=digest)


def _key(decoding: Decoding, digest: str, contract: InputContract) -> str:
    """Name all that the arrays depend on; dtype and range are applied later, inside the sandbox."""
    facts = json.dumps(
        [READER_FACTS[decoding.reader].version, decoding.reader, digest, *decoding.key(contract)]
    )
    return hashlib.sha256(facts.encode()).hexdigest()[:40]


def _write_header(stream: BinaryIO, samples: int, contract: InputContract) -> None:
    stored = np.lib.format.dtype_to_descr(np.dtype(stored_dtype(contract.reader).value))
    shape = (samples, *contract.sides())
    np.lib.format.write_array_header_1_0(stream, {"descr": stored, "fortran_order": False, "shape": shape})


def _in_order(work: Callable[[LabelRow], T], rows: Iterable[LabelRow], ahead: int) -> Iterator[T]:
    """Yield the work's results in the order of the rows, a bounded number of them ahead."""
    pending: deque[Future[T]] = deque()
    with ThreadPoolExecutor(DECODERS) as pool:
        try:
            for row in rows:
                pending.append(pool.submit(work, row))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _decode_row(decoding: Decoding, dataset: Path, contract: InputContract, row: LabelRow) -> Sample | Failed:
    """Return a failure too, so that all of a dataset's are found and not the first."""
    try:
        return decoding.decode(dataset / row.file, contract)
    except Undecodable as exc:
        return Failed(row=row.number, file=row.file, why=str(exc))
