"""Uploads that are too large, refused by the length that they announce, before their body is read."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest

from scoring.errors import reject

MULTIPART_OVERHEAD_BYTES: Final = 64 * 1024  # boundaries, headers and small fields around the file


def refuse_large_body(request: HttpRequest, *, allowed_bytes: int) -> None:
    """Raise Rejected for a body that cannot fit, so that nobody fills the disk to learn the limit."""
    if announced_bytes(request) > allowed_bytes + MULTIPART_OVERHEAD_BYTES:
        raise reject("upload_too_large", allowed_bytes=allowed_bytes)


def announced_bytes(request: HttpRequest) -> int:
    """Return the length that a request announces for its body; 0 for none."""
    announced = request.headers.get("Content-Length", "")
    return int(announced) if announced.isascii() and announced.isdecimal() else 0
