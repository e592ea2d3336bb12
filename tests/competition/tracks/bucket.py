"""A storage that, like a bucket, keeps blobs by name and has no local paths."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage


class Bucket(Storage):
    """Keep files in memory; `path` stays what Django's base class makes it, an error."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def _save(self, name: str, content: File[Any]) -> str:
        self.blobs[name] = b"".join(content.chunks())
        return name

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        return ContentFile(self.blobs[name], name=name)

    def exists(self, name: str) -> bool:
        return name in self.blobs
