"""The Content-Security-Policy of every page: our own files only, no inline script, no framing."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def policy() -> str:
    """Return the policy; browsers hold redirects of a form to it too, so it names other sign-in services."""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            " ".join(("form-action 'self'", *settings.SIGN_IN_ORIGINS)),
            "frame-ancestors 'none'",
        )
    )


class ContentSecurityPolicyMiddleware:
    """Set the policy unless the view has set its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request with the policy in its headers."""
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy())
        return response
