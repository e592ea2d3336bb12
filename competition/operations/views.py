"""Answers to machines, given before anything else is asked: no session, no host name, no redirect to HTTPS."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from competition.operations.readiness import PARTS, Readiness

ADDRESSES: Final = frozenset({"/healthz", "/readyz", "/metrics"})


class MachinesFirstMiddleware:
    """Answer machines at once: they come by an address that is no host name of the site, and without HTTPS."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or let the others."""
        if request.path_info not in ADDRESSES:
            return self.get_response(request)
        found = resolve(request.path_info)
        answer: HttpResponse = found.func(request, *found.args, **found.kwargs)
        return answer


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process lives; nothing else is asked for it."""
    return HttpResponse("ok\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether all that the site needs answers, and which part does not."""
    parts = own_readiness().look()
    ready = all(told == "ok" for told in parts.values())
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


@cache
def own_readiness() -> Readiness:
    """Return what this process knows of the parts."""
    return Readiness(PARTS)
