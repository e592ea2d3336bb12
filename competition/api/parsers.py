"""What a request's body says, read as strictly as it is stored: a malformed body is a 400 here, not a 500 later."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping
from typing import IO, Any, Final, Never

from django.http import QueryDict
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from competition.wellformed import Malformed, refuse_unstorable

REPLACEMENT: Final = "\ufffd"
MAX_DEPTH: Final = 20
"""How deep JSON may be nested; the deepest shape of the API has two levels."""


class JSONParser(parsers.JSONParser):
    """JSON in UTF-8: finite numbers, each key once, no deeper than MAX_DEPTH, text that can be stored."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the document; raises ParseError."""
        try:
            document = json.loads(
                stream.read().decode("utf-8"),
                object_pairs_hook=_each_key_once,
                parse_constant=_no_constant,
                parse_float=_finite,
            )
        except RecursionError:  # json's own limit, reached by thousands of opening brackets
            raise ParseError("The JSON is nested too deeply.") from None
        except ValueError as exc:
            raise ParseError(f"JSON parse error - {exc}") from exc
        _check(_texts_of_json(document))
        return document


class FormParser(parsers.FormParser):
    """A URL-encoded form of text that can be stored."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the fields; raises ParseError."""
        body: bytes = stream.read()
        try:
            body.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise ParseError(f"The form is not UTF-8: {exc.reason}.") from exc
        form = super().parse(io.BytesIO(body), media_type, parser_context)
        _check(_texts_of_form(form))
        return form


class MultiPartParser(parsers.MultiPartParser):
    """A multipart form of text that can be stored, and files, whose names are cleaned where they are kept."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the fields and files; raises ParseError."""
        found = super().parse(stream, media_type, parser_context)
        _check(_texts_of_form(found.data))
        return found


def _check(texts: Iterator[str]) -> None:
    try:
        refuse_unstorable(texts, what="The body")
    except Malformed as exc:
        raise ParseError(str(exc)) from exc


def _texts_of_form(form: QueryDict) -> Iterator[str]:
    for name, values in form.lists():
        for text in (str(name), *map(str, values)):
            if REPLACEMENT in text:  # Django puts it where bytes are not UTF-8
                raise ParseError("The form is not UTF-8.")
            yield text


def _texts_of_json(document: object) -> Iterator[str]:
    """Yield keys and strings, without recursion: the document's depth is the sender's choice."""
    waiting: list[tuple[object, int]] = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ParseError("The JSON is nested too deeply.")
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend((inner, depth + 1) for pair in value.items() for inner in pair)
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value)


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number
