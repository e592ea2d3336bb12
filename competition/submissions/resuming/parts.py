"""Entries whose parts go straight into the store, past the site: S3's multipart uploads with signed addresses.

The site begins such an upload, signs an address for each part, and lets the store put the parts together once it has
all of them. It believes nothing that the sender says of it: it asks the store, and reads the whole entry once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, Final, cast

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage, storages

from competition.submissions.models import PartialUpload

LEAST_PART_BYTES: Final = 16 * 2**20
MOST_PARTS: Final = 10_000
"""Of an upload, as S3 has it."""
SIGNED_FOR_S: Final = 3600
CHUNK_BYTES: Final = 2**20
"""What is held of an entry while it is read."""


def go_past_the_site() -> bool:
    """Say whether participants may reach the store themselves."""
    return bool(settings.S3_UPLOAD_ENDPOINT)


def part_bytes(entry_bytes: int) -> int:
    """Return the size of each part but the last, which may be smaller."""
    return max(LEAST_PART_BYTES, -(-entry_bytes // MOST_PARTS))


def sizes(entry_bytes: int) -> dict[int, int]:
    """Return the size of each part by its number; the first is 1."""
    step = part_bytes(entry_bytes)
    starts = range(0, entry_bytes, step)
    return {number: min(step, entry_bytes - start) for number, start in enumerate(starts, start=1)}


def place_of(upload: PartialUpload) -> str:
    """Return the entry's name in the store: that of a submission with the upload's id."""
    return f"entries/{upload.track.slug}/{upload.pk}"


def begin_parts(upload: PartialUpload) -> str:
    """Begin an upload in the store; return what the store calls it."""
    begun = _client().create_multipart_upload(**_object(upload), ContentType="application/octet-stream")
    return str(begun["UploadId"])


def sign(upload: PartialUpload, numbers: Sequence[int]) -> dict[int, str]:
    """Return an address for each of the parts, to which exactly its bytes can be put for an hour."""
    expected = sizes(upload.entry_bytes)
    client = _client(endpoint=settings.S3_UPLOAD_ENDPOINT)
    return {
        number: client.generate_presigned_url(
            "upload_part",
            # The length is signed: without it, anybody could fill the store with one address.
            Params={**_named(upload), "PartNumber": number, "ContentLength": expected[number]},
            ExpiresIn=SIGNED_FOR_S,
        )
        for number in numbers
    }


def received(upload: PartialUpload) -> dict[int, tuple[int, str]]:
    """Return the size and the tag of each part that the store has, by its number; nothing once they are one entry."""
    client = _client()
    try:
        pages = client.get_paginator("list_parts").paginate(**_named(upload))
        return {
            part["PartNumber"]: (part["Size"], part["ETag"])
            for page in pages
            for part in page.get("Parts", ())
        }
    except client.exceptions.NoSuchUpload:
        return {}


def missing(upload: PartialUpload, found: Mapping[int, tuple[int, str]]) -> list[int]:
    """Return the numbers of parts that the store lacks, or has in another size."""
    expected = sizes(upload.entry_bytes)
    return [number for number, size in expected.items() if found.get(number, (-1, ""))[0] != size]


def put_together(upload: PartialUpload, found: Mapping[int, tuple[int, str]]) -> None:
    """Let the store make one entry of the parts."""
    tags = [{"PartNumber": number, "ETag": tag} for number, (_, tag) in sorted(found.items())]
    _client().complete_multipart_upload(**_named(upload), MultipartUpload={"Parts": tags})


def is_put_together(upload: PartialUpload) -> bool:
    """Say whether the store has the entry: a process may have been killed right after."""
    return default_storage.exists(place_of(upload))


def abort(upload: PartialUpload) -> None:
    """Let the store forget parts and entry."""
    client = _client()
    with suppress(client.exceptions.NoSuchUpload):
        client.abort_multipart_upload(**_named(upload))
    default_storage.delete(place_of(upload))


class Stored(File):  # type: ignore[type-arg]  # generic in django-stubs alone
    """An entry that is in the store, read from there piece by piece and never brought onto the disk."""

    def __init__(self, upload: PartialUpload) -> None:
        super().__init__(None, name=place_of(upload))
        self._upload = upload

    def chunks(self, chunk_size: int | None = None) -> Iterator[Any]:
        """Yield the content from its beginning."""
        answer = _client().get_object(**_object(self._upload))
        yield from answer["Body"].iter_chunks(chunk_size or CHUNK_BYTES)


def _client(endpoint: str | None = None) -> Any:
    return _client_at(endpoint or _options()["endpoint_url"], _options()["region_name"])


@cache  # a client takes long to make, and may be used by any thread
def _client_at(endpoint: str | None, region: str | None) -> Any:
    options = {**_options(), "endpoint_url": endpoint, "region_name": region, "signature_version": "s3v4"}
    store: Any = storages.create_storage({**settings.STORAGES["default"], "OPTIONS": options})
    return store.connection.meta.client


def _options() -> dict[str, Any]:
    return cast(dict[str, Any], settings.STORAGES["default"]["OPTIONS"])


def _object(upload: PartialUpload) -> dict[str, str]:
    return {"Bucket": _options()["bucket_name"], "Key": place_of(upload)}


def _named(upload: PartialUpload) -> dict[str, str]:
    return {**_object(upload), "UploadId": upload.multipart_id}
