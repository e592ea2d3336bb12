"""The S3 store of the site: a request waits seconds for one that is away."""

from __future__ import annotations

from typing import Any, Final

from botocore.config import Config
from storages.backends import s3

PATIENCE: Final = Config(
    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 3}
)
"""botocore's own limits are minutes, five times over."""


class S3Storage(s3.S3Storage):  # type: ignore[misc]  # django-storages has no types
    """django-storages' own, which waits no longer than `PATIENCE` where no `client_config` says otherwise."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.client_config: Config = PATIENCE.merge(self.client_config)
