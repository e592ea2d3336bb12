"""The worker keeps its machine's cache below a size."""

from __future__ import annotations

import logging
from pathlib import Path

from scoring.cache.trim import trim

log = logging.getLogger(__name__)


def trim_cache(root: Path, *, max_bytes: int) -> None:
    """Remove what was used longest ago and say so; a cache that cannot be trimmed stops no evaluation."""
    try:
        trimmed = trim(root, max_bytes=max_bytes)
    except OSError as exc:
        log.warning("cache_not_trimmed", extra={"fields": {"error": exc.strerror}})
        return
    sizes = {"kept_bytes": trimmed.kept_bytes, "freed_bytes": trimmed.freed_bytes}
    if trimmed.removed:
        log.info("cache_trimmed", extra={"fields": {"removed": len(trimmed.removed), **sizes}})
    if trimmed.kept_bytes > max_bytes:
        log.warning("cache_over_its_size", extra={"fields": {"max_bytes": max_bytes, **sizes}})
