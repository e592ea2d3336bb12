"""Access tokens: several for each account, each with a name, made, used and revoked one by one.

Only their digests are stored. A token is 160 random bits, so that nobody guesses one and a plain SHA-256 hides it.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import TokenAuthentication

from competition.accounts.models import AccessToken

MAX_TOKENS: Final = 50
"""Of an account. One more ends the one that was not used for longest."""
_BEGINNING: Final = 6
_USED_STEP: Final = timedelta(minutes=1)
"""How exactly the last use is known; every request would otherwise write a row."""


@transaction.atomic
def make_token(*, owner: User, name: str) -> str:
    """Return a new token, which is shown once and never stored."""
    token = secrets.token_hex(20)
    AccessToken.objects.create(user=owner, name=name, digest=digest(token), beginning=token[:_BEGINNING])
    _end_more_than_allowed(owner)
    return token


def revoke_token(*, owner: User, pk: int) -> AccessToken | None:
    """End a token of the owner's and return what it was; None if there is none."""
    token = AccessToken.objects.filter(user=owner, pk=pk).first()
    if token is not None:
        AccessToken.objects.filter(pk=pk).delete()
    return token


def digest(token: str) -> str:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _end_more_than_allowed(owner: User) -> None:
    rows = AccessToken.objects.filter(user=owner).values_list("pk", "last_used_at", "created_at")
    latest_first = sorted(rows, key=lambda row: (row[1] or row[2], row[0]), reverse=True)
    AccessToken.objects.filter(pk__in=[pk for pk, *_ in latest_first[MAX_TOKENS:]]).delete()


class AccessTokenAuthentication(TokenAuthentication):
    """Knows a request by “Authorization: Token …”."""

    model = AccessToken

    def authenticate_credentials(self, key: str) -> tuple[User, AccessToken]:
        """Return whose token it is; raises AuthenticationFailed."""
        token = AccessToken.objects.select_related("user").filter(digest=digest(key)).first()
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown or was revoked.")
        if not token.user.is_active:
            raise exceptions.AuthenticationFailed("The account of this token is closed.")
        _note_use(token)
        return token.user, token


def _note_use(token: AccessToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - _USED_STEP:
        long_ago = Q(last_used_at=None) | Q(last_used_at__lt=now - _USED_STEP)
        # Who only reads is not refused because the database cannot write.
        with suppress(OperationalError):
            AccessToken.objects.filter(long_ago, pk=token.pk).update(last_used_at=now)
