"""WSGI entry point."""

import os
from collections.abc import Callable, Iterable
from typing import Any

import django
from django.core.wsgi import get_wsgi_application

from competition.telemetry.starting import start
from competition.wellformed import has_readable_content_type

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition.settings")

django.setup(set_prefix=False)
start("site")  # before the middleware is loaded, which it adds to
_site = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request; one whose content type cannot be read has none, or no error page could be made for it."""
    if not has_readable_content_type(environ):
        environ = {**environ, "CONTENT_TYPE": ""}
    return _site(environ, start_response)
