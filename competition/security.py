"""The Content-Security-Policy of every page: our own files only, no inline script, no framing."""

from collections.abc import Callable
from urllib.parse import urlsplit

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
            " ".join(("connect-src 'self'", *_stores())),
            "object-src 'none'",
            "base-uri 'none'",
            " ".join(("form-action 'self'", *settings.SIGN_IN_ORIGINS)),
            "frame-ancestors 'none'",
        )
    )


def _stores() -> list[str]:
    """Return the store's address, if browsers put entries there; with buckets as subdomains, those as well."""
    address = urlsplit(settings.S3_UPLOAD_ENDPOINT)
    return (
        [f"{address.scheme}://{address.netloc}", f"{address.scheme}://*.{address.netloc}"]
        if address.netloc
        else []
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
