"""A storage that, like a bucket, has no local paths."""

from django.core.files.storage import InMemoryStorage


class Bucket(InMemoryStorage):
    """Keep files in memory and know no path."""

    def path(self, name: str) -> str:
        raise NotImplementedError("a bucket has no paths")
