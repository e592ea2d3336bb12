"""The account page and its API token."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from competition.accounts import tokens
from competition.accounts.people import signed_in_user


@login_required
@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the account; an existing token is not shown again."""
    return render(request, "accounts/account.html", _context(request))


@login_required
@never_cache
@require_POST
def renew_token(request: HttpRequest) -> HttpResponse:
    """Make a token and show it this once, in the reply to this very POST."""
    token = tokens.renew_token(owner=signed_in_user(request))
    return render(request, "accounts/account.html", {**_context(request), "token": token})


@login_required
@require_POST
def revoke_token(request: HttpRequest) -> HttpResponse:
    """End the token."""
    tokens.revoke_token(owner=signed_in_user(request))
    messages.success(request, "The API token no longer works.")
    return redirect("account")


def _context(request: HttpRequest) -> dict[str, object]:
    return {
        "created_at": tokens.created_at(signed_in_user(request)),
        "address": request.build_absolute_uri("/"),
    }
