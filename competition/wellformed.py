"""Requests that no database or parser could take, refused before a view reads them: in one place, as a 400.

A charset other than UTF-8 can smuggle lone surrogates into text, or end in a codec that knows no text at all.
PostgreSQL stores no NUL character. Neither reaches a view through the query, a cookie or a form; the patterns of
addresses match no NUL. What only the API reads, `competition.api.parsers` checks with the same words.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable
from typing import Any, Final

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_header_parameters

CHARSETS: Final = frozenset({"utf-8", "utf8"})


class Malformed(BadRequest):
    """A request that cannot be read; the message may be shown to whoever sent it."""


class WellFormedMiddleware:
    """Refuse requests that are malformed whatever view they are for; stands behind the check for forgery."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look at what every request has; a body is not read for it."""
        charset = (request.content_params or {}).get("charset", "utf-8")
        if charset.lower() not in CHARSETS:
            raise Malformed("The charset of a request must be UTF-8.")
        refuse_unstorable(request.COOKIES.values(), what="A cookie")
        refuse_unstorable(_texts(request.GET.lists()), what="The query")
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> None:
        """Look at the form of a view that leaves reading it to Django; others judge the size of a body first."""
        if not getattr(view, "csrf_exempt", False):
            refuse_unstorable(_texts(request.POST.lists()), what="The form")


def refuse_unstorable(texts: Iterable[str], *, what: str) -> None:
    """Raise Malformed where a text holds a NUL character or half of a surrogate pair."""
    for text in texts:
        if "\0" in text:
            raise Malformed(f"{what} contains a NUL character.")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise Malformed(f"{what} contains half of a surrogate pair, which is not a character.")


def _texts(fields: Iterable[tuple[str, Iterable[object]]]) -> Iterable[str]:
    for name, values in fields:
        yield name
        yield from (value for value in values if isinstance(value, str))


def has_readable_content_type(environ: dict[str, Any]) -> bool:
    """Say whether Django can make a request of it: it reads this header before any middleware runs."""
    try:
        _, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        codecs.lookup(parameters.get("charset", "utf-8"))
    except LookupError:
        return True  # a charset that nobody knows: refused above
    except ValueError:
        return False
    return True
