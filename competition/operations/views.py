"""Answers to machines, given before anything else is asked: no session, no host name, no redirect to HTTPS."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache
from ipaddress import ip_network
from typing import Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import resolve
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from competition.accounts.addresses import client_address
from competition.operations.exposition import exposition
from competition.operations.readiness import NEEDED, PARTS, Readiness

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
    """Say whether this process can serve, and which part does not answer."""
    parts = own_readiness().look()
    ready = all(parts[name] == "ok" for name in NEEDED)
    return JsonResponse({"ready": ready, "parts": parts}, status=200 if ready else 503)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Show the numbers to whoever has the token or comes from an allowed network; to others there is nothing here."""
    if not (_has_token(request) or _is_allowed(client_address(request))):
        raise Http404
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    told = request.headers.get("Authorization", "")
    expected = f"Bearer {settings.METRICS_TOKEN}"
    return bool(settings.METRICS_TOKEN) and secrets.compare_digest(told.encode(), expected.encode())


def _is_allowed(address: str) -> bool:
    try:
        client = ip_network(address)
    except ValueError:  # nobody knows where it comes from
        return False
    allowed = map(ip_network, settings.METRICS_FROM)
    return any(client.version == each.version and client.subnet_of(each) for each in allowed)  # type: ignore[arg-type]


@cache
def own_readiness() -> Readiness:
    """Return what this process knows of the parts."""
    return Readiness(PARTS)
