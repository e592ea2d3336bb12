"""Uploads in pieces as the API shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from competition.submissions import resuming
from competition.submissions.models import PartialUpload


class PartialUploadOutput(serializers.Serializer[PartialUpload]):
    """How far an upload is, and what it became."""

    id = serializers.UUIDField(read_only=True)
    track = serializers.CharField(source="track.slug", read_only=True)
    entry_name = serializers.CharField(read_only=True)
    entry_bytes = serializers.IntegerField(read_only=True, help_text="As announced.")
    received_bytes = serializers.IntegerField(read_only=True)
    sha256 = serializers.CharField(read_only=True, help_text="As announced; empty if it was not.")
    submission: Any = serializers.UUIDField(
        source="submission_id", read_only=True, allow_null=True, help_text="Null until all bytes are there."
    )
    expires_at = serializers.DateTimeField(read_only=True)


class DirectUploadOutput(PartialUploadOutput):
    """An upload whose parts go straight into the store, and which of them are there."""

    part_bytes = serializers.SerializerMethodField(help_text="Size of each part but the last.")
    parts = serializers.SerializerMethodField(help_text="How many there are; the first is number 1.")
    parts_received = serializers.SerializerMethodField(help_text="The numbers of those that the store has.")

    def get_part_bytes(self, upload: PartialUpload) -> int:
        """Return the size of each part but the last."""
        return resuming.part_bytes(upload.entry_bytes)

    def get_parts(self, upload: PartialUpload) -> int:
        """Return how many parts there are."""
        return len(resuming.sizes(upload.entry_bytes))

    def get_parts_received(self, upload: PartialUpload) -> list[int]:
        """Return what the store tells."""
        expected = resuming.sizes(upload.entry_bytes)
        return [
            number for number, (size, _) in resuming.received(upload).items() if expected.get(number) == size
        ]
