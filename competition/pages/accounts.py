"""The account page and its access tokens."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from competition.accounts import tokens
from competition.accounts.models import AccessToken
from competition.accounts.people import signed_in_user
from competition.pages.forms import TokenForm

_NEW: Final = "new_token"


@login_required
@never_cache
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show the account; a token just made is shown this once."""
    return _page(request, TokenForm(), new=request.session.pop(_NEW, None))


@login_required
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Make a token and lead to the page that shows it: reloading that page changes nothing."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=400)
    token = tokens.make_token(owner=signed_in_user(request), name=form.cleaned_data["name"])
    request.session[_NEW] = token
    return redirect("account")


@login_required
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token."""
    token = tokens.revoke_token(owner=signed_in_user(request), pk=pk)
    if token is None:
        raise Http404
    messages.success(request, f"The token “{token.name}” no longer works.")
    return redirect("account")


def _page(
    request: HttpRequest, form: TokenForm, *, new: str | None = None, status: int = 200
) -> HttpResponse:
    context = {
        "tokens": AccessToken.objects.filter(user=signed_in_user(request)),
        "form": form,
        "new": new,
        "address": request.build_absolute_uri("/"),
    }
    return render(request, "accounts/account.html", context, status=status)
