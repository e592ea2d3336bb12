"""Requests that no client of good faith sends: bodies, queries and headers, each with what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

JSON: Final = "application/json"
URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data; boundary=edge"
DEEP: Final = 5000


@dataclass(frozen=True, kw_only=True)
class Malformed:
    """A body and the content type that it is sent as."""

    body: bytes
    content_type: str


def part(name: str, value: bytes, *, more: str = "") -> bytes:
    """Return one field of a multipart body, without the boundary after it."""
    return f'--edge\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def json_bodies() -> Iterator[tuple[str, bytes]]:
    """Yield bodies that are not one plain JSON object of short fields."""
    yield "brackets", b"[" * DEEP
    yield "braces", b'{"a":' * DEEP
    yield "closed brackets", b"[" * DEEP + b"]" * DEEP
    yield "deep field", b'{"username": ' + b"[" * 500 + b"]" * 500 + b"}"
    yield "deep in a known field", b'{"username": "a", "password": ' + b'{"a":' * 90 + b"1" + b"}" * 91
    yield "cut short", b'{"username": "alice", "pass'
    yield "empty", b" "
    yield "not UTF-8", b'{"username": "\xff\xfe", "password": "p"}'
    yield "UTF-16", '{"username": "alice"}'.encode("utf-16")
    yield "byte order mark", b'\xef\xbb\xbf{"username": "alice"}'
    yield "encoded surrogate", b'{"username": "\xed\xa0\x80", "password": "p"}'
    for name in ("null", "true", "1", "1.5", '"text"', "[]", "[1, 2]", '[{"username": "alice"}]'):
        yield f"only {name}", name.encode()
    for name in ("username", "email", "password"):
        yield f"surrogate in {name}", _with(name, '"\\ud800"')
        yield f"NUL in {name}", _with(name, '"a\\u0000b"')
        yield f"NaN in {name}", _with(name, "NaN")
        yield f"Infinity in {name}", _with(name, "-Infinity")
        yield f"beyond a double in {name}", _with(name, "1e999")
        yield f"5,000 digits in {name}", _with(name, "1" * 5000)
        yield f"{name} twice", _with(name, f'"a", "{name}": "b"')
    for name in ("username", "password"):
        yield f"list in {name}", _with(name, '["a"]')
        yield f"object in {name}", _with(name, '{"a": 1}')
    yield "surrogate as a key", b'{"\\udfff": 1, "username": "alice", "password": "p"}'
    yield "NUL as a key", b'{"\\u0000": 1, "username": "alice", "password": "p"}'


def _with(name: str, value: str) -> bytes:
    """Return a sign-up whose named field holds the value, which is JSON already."""
    fields = {"username": '"carol"', "email": '"carol@example.org"', "password": '"correct horse battery"'}
    pairs = ", ".join(f'"{key}": {text}' for key, text in (fields | {name: value}).items())
    return f"{{{pairs}}}".encode()


def form_bodies(*names: str) -> Iterator[tuple[str, Malformed]]:
    """Yield forms, of both encodings, that are broken or hold a value that no text is."""
    for what, value in {"NUL": b"a%00b", "bad UTF-8": b"%ff%fe", "surrogate": b"%ed%a0%80"}.items():
        yield f"urlencoded {what}", Malformed(body=_query(names, value), content_type=URLENCODED)
    for charset in ("utf-7", "unicode_escape", "bz2_codec", "utf-16", "idna", "nonsense", "undefined"):
        for kind in (URLENCODED, MULTIPART):
            fields = b"".join(part(name, b"+2AA-\\ud800") for name in names) + b"--edge--\r\n"
            body = _query(names, b"+2AA-\\ud800") if kind == URLENCODED else fields
            yield f"{kind} in {charset}", Malformed(body=body, content_type=f"{kind}; charset={charset}")
    for what, body in _broken_parts(names):
        yield f"multipart {what}", Malformed(body=body, content_type=MULTIPART)
    whole = part(names[0], b"a") + b"--edge--\r\n"
    for boundary in ("", "; boundary=", "; boundary=" + "x" * 300, "; boundary=\xe9", "; boundary=other"):
        yield (
            f"boundary {boundary[:20]!r}",
            Malformed(body=whole, content_type=f"multipart/form-data{boundary}"),
        )


def _query(names: tuple[str, ...], value: bytes) -> bytes:
    return b"&".join(name.encode() + b"=" + value for name in names)


def _broken_parts(names: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    first = names[0]
    yield "cut in a header", b"--edge\r\nContent-Disposition: form-da"
    yield "cut in a value", part(first, b"a")[:-2]
    yield "of no parts", b"--edge--\r\n"
    yield "empty", b" "
    yield "NUL", b"".join(part(name, b"a\x00b") for name in names) + b"--edge--\r\n"
    yield "bad UTF-8", b"".join(part(name, b"\xff\xfe") for name in names) + b"--edge--\r\n"
    yield (
        "bad base64",
        (
            f'--edge\r\nContent-Disposition: form-data; name="{first}"\r\n'
            "Content-Transfer-Encoding: base64\r\n\r\n!!!!!\r\n--edge--\r\n"
        ).encode(),
    )
    yield "charset of a file's name", part("entry", b"x", more="; filename*=nonsense''a") + b"--edge--\r\n"
    yield "surrogate in a file's name", part("entry", b"x", more="; filename*=utf-7''+2AA-") + b"--edge--\r\n"
    yield "fields without number", b"".join(part(f"f{n}", b"") for n in range(1001)) + b"--edge--\r\n"
    yield (
        "files without number",
        b"".join(part(f"f{n}", b"", more='; filename="a"') for n in range(101)) + b"--edge--\r\n",
    )


def any_bodies(*names: str) -> dict[str, Malformed]:
    """Return all malformed bodies by what is wrong with each."""
    bodies = {f"JSON {what}": Malformed(body=body, content_type=JSON) for what, body in json_bodies()}
    plain = b'{"username": "carol", "password": "p"}'
    for kind in (
        "text/plain",
        "application/xml",
        "",
        "application/json; charset=utf-7",
        "/",
        'a;b;c="',
    ):
        bodies[f"type {kind!r}"] = Malformed(body=plain, content_type=kind)
    return bodies | dict(form_bodies(*names))
