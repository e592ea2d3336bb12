"""Answers that are asked for again and again: sent anew only when they changed."""

from __future__ import annotations

import hashlib
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control

TAG_DIGITS: Final = 32


def digest_of(content: bytes) -> str:
    """Return the digest of an answer that consists of these bytes: no way of changing it can be forgotten."""
    return hashlib.sha256(content).hexdigest()


def tagged(request: HttpRequest, response: HttpResponseBase, digest: str) -> HttpResponseBase:
    """Return the response with a tag, or “not modified” if that is the tag of what the caller has.

    Whoever keeps it asks each time. What somebody who is signed in gets is for no cache on the way.
    """
    etag = f'"{digest[:TAG_DIGITS]}"'
    response.headers["ETag"] = etag
    private = request.user.is_authenticated
    patch_cache_control(response, no_cache=True, **{"private" if private else "public": True})
    unchanged = get_conditional_response(request, etag=etag, response=response)  # type: ignore[arg-type]  # copies headers
    return unchanged or response
