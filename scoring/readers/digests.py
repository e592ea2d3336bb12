"""The digest of a dataset folder, remembered while no file in it changes.

Hashing gigabytes for every evaluation would cost more than many models; a look at each file's
size, times and inode costs milliseconds. The change time is among them since nobody can set it.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from scoring.cache.atomic import write_bytes_atomically
from scoring.data.dataset import dataset_digest
from scoring.data.labels import LABELS_FILE, LabelTable


def remembered_digest(folder: Path, table: LabelTable, *, cache: Path, state: str) -> str:
    """Return the digest of the folder whose files are in `state`; hash them only the first time."""
    memory = cache / "digests" / state
    with suppress(OSError, UnicodeDecodeError):
        text = memory.read_text("ascii")
        if len(text) == len("sha256:") + 64 and text.startswith("sha256:"):
            memory.touch()  # the cache forgets what was used longest ago
            return text
    digest = dataset_digest(folder, table)
    memory.parent.mkdir(parents=True, exist_ok=True)
    write_bytes_atomically(memory, digest.encode("ascii"))
    return digest


def files_state(folder: Path, table: LabelTable) -> str:
    """Return a name for the present state of all files of the dataset; any change changes it."""
    total = hashlib.sha256(str(folder.resolve()).encode())
    for name in (LABELS_FILE, *table.named_files()):
        status = (folder / name).stat()
        facts = (name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        total.update(repr(facts).encode())
    return total.hexdigest()
