"""Uploads in pieces as the API shows them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

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
