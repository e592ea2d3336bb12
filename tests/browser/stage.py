"""Believable rows, filled in once for many tests: that takes seconds, and to copy them back next to nothing."""

from __future__ import annotations

import copy
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from tests import database
from tests.browser.believable import Scene, fill

FRESH_S: Final = 30.0
"""What is shown on pages is told from now: rows that are older are made anew."""


class Stage:
    """Keeps a filled database and its files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._database, self._files = folder / "filled.sqlite3", folder / "files"
        self._scene: Scene | None = None
        self._filled_at = 0.0

    def scene(self) -> Scene:
        """Fill the empty database of a test; return what its pages are about."""
        if connection.vendor != "sqlite":
            return fill(timezone.now())
        if self._scene and time.monotonic() - self._filled_at < FRESH_S:
            self._put_back()
        else:
            self._fill()
        return copy.deepcopy(self._scene)

    def _fill(self) -> None:
        shutil.rmtree(self._files, ignore_errors=True)
        self._filled_at = time.monotonic()
        self._scene = fill(timezone.now())
        database.keep(self._database)
        shutil.copytree(settings.MEDIA_ROOT, self._files)

    def _put_back(self) -> None:
        connection.ensure_connection()
        with closing(sqlite3.connect(self._database)) as kept:
            kept.backup(connection.connection)
        shutil.copytree(self._files, settings.MEDIA_ROOT, dirs_exist_ok=True)
        # Their numbers are different after each test.
        ContentType.objects.clear_cache()
