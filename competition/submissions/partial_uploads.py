"""Entries that come in pieces, over as many connections as it takes, as rows; `resuming` is the only writer."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from competition.tracks.models import Track


class PartialUpload(models.Model):
    """An entry on its way, and for a day afterwards what it became.

    `received_bytes` are on the disk for certain. It is `entry_bytes` only once there is the submission, so that
    whoever sees all bytes received has nothing left to send. `writer` is a fence: who writes next increases it, and
    whoever wrote before can change nothing from then on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="+")
    participant = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    entry_name = models.CharField(max_length=255)
    entry_bytes = models.BigIntegerField(help_text="As announced.")
    received_bytes = models.BigIntegerField(default=0, db_default=0)
    sha256 = models.CharField(max_length=64, blank=True, default="", help_text="As announced, or empty.")
    metadata = models.TextField(blank=True, default="", help_text="As sent in the header “Upload-Metadata”.")
    multipart_id = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="What the store calls it, where its parts go straight there.",
    )
    writer = models.PositiveIntegerField(default=0, db_default=0)
    finishing_until = models.DateTimeField(
        null=True, help_text="Until when nobody else may write: it is being made a submission."
    )
    submission = models.OneToOneField(
        "submissions.Submission", on_delete=models.CASCADE, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["created_at"]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="partial_upload_expiry")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(received_bytes__gte=0) & Q(received_bytes__lte=F("entry_bytes")),
                name="received_within_announced",
            ),
            models.CheckConstraint(
                condition=Q(submission=None) ^ Q(received_bytes=F("entry_bytes")),
                name="all_received_once_submitted",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry_name}: {self.received_bytes:,} of {self.entry_bytes:,} bytes"
