"""API tokens: one for each participant, renewed and revoked by its owner."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from rest_framework.authtoken.models import Token


def created_at(owner: User) -> datetime | None:
    """Return when the owner's token was made; None without one."""
    token = Token.objects.filter(user=owner).first()
    return token.created if token else None


@transaction.atomic
def renew_token(*, owner: User) -> str:
    """Return a fresh token; the one before stops working."""
    Token.objects.filter(user=owner).delete()
    key: str = Token.objects.create(user=owner).key
    return key


def revoke_token(*, owner: User) -> None:
    """End the owner's token."""
    Token.objects.filter(user=owner).delete()
