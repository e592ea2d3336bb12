"""Files of the store brought onto this machine, and held to the digest that they came with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.db.models.fields.files import FieldFile

from scoring.errors import Fault

CHUNK_BYTES: Final = 2**20


def fetch(stored: FieldFile, target: Path, *, sha256: str, what: str, tick: Callable[[], None]) -> None:
    """Copy a stored file to `target`; `tick` is called after each piece, and what it raises ends it.

    Raises Fault, in which `what` names the file, when the store does not give back what it was given.
    """
    fetched = hashlib.sha256()
    try:
        with stored.storage.open(str(stored.name)) as source, target.open("wb") as out:
            for chunk in source.chunks(CHUNK_BYTES):
                fetched.update(chunk)
                out.write(chunk)
                tick()
    except OSError as exc:
        raise Fault(f"{what} cannot be fetched from storage: {exc.strerror}") from exc
    if fetched.hexdigest() != sha256:
        raise Fault(f"{what} in storage is not what was stored there")
