"""WSGI entry point."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

from competition.wellformed import has_readable_content_type

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "competition.settings")

_site = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer a request; one whose content type cannot be read has none, or no error page could be made for it."""
    if not has_readable_content_type(environ):
        environ = {**environ, "CONTENT_TYPE": ""}
    return _site(environ, start_response)
