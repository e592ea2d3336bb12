"""Organisers' Markdown as HTML that is safe to show: no scripts, styles, frames or foreign images."""

from __future__ import annotations

from typing import Final

import markdown
import nh3
from django.utils.safestring import SafeString, mark_safe

_EXTENSIONS: Final = ("tables", "fenced_code", "sane_lists")
# fmt: off
_TAGS: Final = frozenset((
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "dl", "dt", "em", "h2", "h3", "h4", "h5", "h6",
    "hr", "i", "img", "li", "ol", "p", "pre", "s", "strong", "sub", "sup",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
))
# fmt: on
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
}
_SCHEMES: Final = frozenset({"http", "https", "mailto"})


def to_html(text: str) -> SafeString:
    """Render Markdown; whatever is not on the list of tags and attributes is dropped.

    Sanitised after rendering, so that raw HTML in the text (script, onerror, javascript:) is caught too.
    """
    html = markdown.markdown(text, extensions=list(_EXTENSIONS))
    lowered = html.replace("<h1>", "<h2>").replace("</h1>", "</h2>")  # a page has one h1: its own
    clean = nh3.clean(lowered, tags=set(_TAGS), attributes=_ATTRIBUTES, url_schemes=set(_SCHEMES))
    return mark_safe(clean)  # noqa: S308 - nh3 has just sanitised it
