"""The migrated database that tests begin with, kept from run to run while what makes it stays the same."""

from __future__ import annotations

import hashlib
import os
import shutil
from importlib.metadata import version
from pathlib import Path

from django.db import connection

ROOT = Path(__file__).parent.parent
MADE_BY = ("Django", "django-allauth", "djangorestframework")


def kept(folder: Path) -> Path:
    """Return where a database of today's code is kept in the folder; those of other code go."""
    name = f"{_digest()}.sqlite3"
    for other in folder.glob("*.sqlite3"):
        if other.name != name:
            other.unlink(missing_ok=True)
    return folder / name


def keep(at: Path) -> None:
    """Keep the database as it is now; of several test processes at once, the last one wins."""
    own = at.with_suffix(f".{os.getpid()}")
    connection.cursor().execute("VACUUM INTO %s", [str(own)])
    own.replace(at)


def take(kept: Path, to: Path) -> None:
    """Begin with the one that was kept, if there is one."""
    if kept.exists():
        shutil.copyfile(kept, to)


def _digest() -> str:
    """Return a digest of the site's code, and of whose tables it has: migrations, and models for permissions."""
    made = hashlib.sha256(" ".join(version(name) for name in MADE_BY).encode())
    for path in sorted((ROOT / "competition").rglob("*.py")):
        made.update(path.read_bytes())
    return made.hexdigest()
