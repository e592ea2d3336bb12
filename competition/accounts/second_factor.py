"""Staff prove a second factor where the site asks for it: a stolen password would open every hidden board."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

MESSAGE = "Staff need two-factor authentication here. Set it up to go on."


def lacks_second_factor(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Say whether the account must set one up before it may do anything."""
    is_staff = isinstance(user, User) and (user.is_staff or user.is_superuser)
    return settings.STAFF_SECOND_FACTOR and is_staff and not is_mfa_enabled(user)


class StaffSecondFactorMiddleware:
    """Lead staff without a second factor to where they set one up; their own sign-in pages stay open."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or lead away."""
        if request.path.startswith(reverse("account_login").removesuffix("login/")):
            return self.get_response(request)
        if not lacks_second_factor(request.user):
            return self.get_response(request)
        messages.warning(request, MESSAGE)
        return redirect("mfa_activate_totp")
