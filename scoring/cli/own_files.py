"""The user's own data: unlike an organiser's hidden files, all that cannot be read may be named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scoring.contracts import Reader
from scoring.data.dataset import check_contents
from scoring.data.labels import DatasetProblem, read_labels
from scoring.errors import Fault


def look_at_files(data: Path, reader: Reader) -> None:
    """Raise `Fault` if the first bytes of files show that they are of another kind, before anything runs."""
    try:
        table = read_labels(data)
    except DatasetProblem:
        return  # The flow says so when it is the data's turn.
    try:
        check_contents(data, table, reader)
    except DatasetProblem as exc:
        raise Fault("\n".join(["the data cannot be used:", *exc.findings])) from exc


@contextmanager
def naming_undecodable_files() -> Iterator[None]:
    """Name the files that proved undecodable, which the readers do not, since most data are hidden."""
    from scoring.readers.undecodable import UndecodableRows

    try:
        yield
    except UndecodableRows as exc:
        raise Fault(exc.named()) from exc
