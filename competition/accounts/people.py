"""Who makes a request."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def signed_in_user(request: HttpRequest) -> User:
    """Return who is signed in; for views behind `login_required`, where nobody else arrives."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user
