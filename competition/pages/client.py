"""The command line to install, from the site that it talks to."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from competition.client_wheel import client_wheel


@require_safe
def wheel(request: HttpRequest, filename: str) -> HttpResponse:
    """Serve the wheel of the command line; an address of an older version is not found."""
    made = client_wheel()
    if filename != made.filename:
        raise Http404("this site has another version of podium")
    response = HttpResponse(made.content, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{made.filename}"'
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
