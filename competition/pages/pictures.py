"""Pictures of competitions: what organisers uploaded, or what is drawn where they did not."""

from __future__ import annotations

from django.db.models.fields.files import FieldFile
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from competition import pictures
from competition.tracks.models import Picture
from competition.tracks.selectors import competitions_for

DAY_S = 86_400
YEAR_S = 365 * DAY_S


@require_safe
@gzip_page  # nothing secret is in it that a length could tell
def cover(request: HttpRequest, slug: str) -> HttpResponse:
    """Draw a competition's cover from its address alone: whether there is such a competition it does not tell."""
    response = HttpResponse(pictures.cover(slug), content_type="image/svg+xml")
    patch_cache_control(response, public=True, max_age=7 * DAY_S)
    return response


@require_safe
def picture(request: HttpRequest, slug: str, name: str) -> FileResponse:
    """Serve a picture of a competition to whoever may see the competition."""
    found = _visible(request, slug, name)
    return _served(request, found, found.file)


@require_safe
def small_picture(request: HttpRequest, slug: str, name: str) -> FileResponse:
    """Serve it small."""
    found = _visible(request, slug, name)
    return _served(request, found, found.small)


def _visible(request: HttpRequest, slug: str, name: str) -> Picture:
    of = competitions_for(request.user).filter(slug=slug).values("pk")
    return get_object_or_404(Picture.objects.select_related("competition"), competition__in=of, name=name)


def _served(request: HttpRequest, picture: Picture, file: FieldFile) -> FileResponse:
    response = FileResponse(file.open("rb"), content_type="image/webp")
    asked = request.GET.get("v", "")
    kept_s = YEAR_S if asked and picture.sha256.startswith(asked) else 0
    # Only its organisers see a hidden competition: no cache on the way keeps its pictures.
    patch_cache_control(
        response, max_age=kept_s, **{"public" if picture.competition.is_public else "private": True}
    )
    return response
