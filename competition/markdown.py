"""Organisers' Markdown as HTML that is safe to show: no scripts, styles, frames or foreign images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any, Final
from xml.etree.ElementTree import Element

import markdown
import nh3
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from markdown.extensions.toc import TocExtension
from markdown.treeprocessors import Treeprocessor

_TOC_LEVELS: Final = "1-3"
_ANCHOR: Final = "text-"
"""Begins the address of each heading, so that none is that of a part of the page."""
# fmt: off
_TAGS: Final = frozenset((
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "dl", "dt", "em", "h2", "h3", "h4", "h5", "h6",
    "hr", "i", "img", "li", "ol", "p", "pre", "s", "strong", "sub", "sup",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
))
# fmt: on
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height", "loading"},
    "ol": {"start"},
    "th": {"align"},
    "td": {"align"},
    **{f"h{level}": {"id"} for level in range(2, 7)},
}
# What may be wider than the page is scrolled, with the keyboard as well.
_ALWAYS: Final = {"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}}
_SCHEMES: Final = frozenset({"http", "https", "mailto"})
_REL: Final = "nofollow noopener noreferrer"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A picture that a text may show: where it is served, and its size in pixels."""

    url: str
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading of a text and its address on the page."""

    anchor: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A text as HTML, and its headings of the first level there is."""

    html: SafeString
    headings: tuple[Heading, ...]


def to_html(text: str) -> SafeString:
    """Render Markdown without pictures."""
    return render(text, {}).html


def render(text: str, pictures: Mapping[str, Shown]) -> Rendered:
    """Render Markdown; whatever is not on the list of tags and attributes is dropped.

    Images are shown by their names in `pictures`, and no others. Sanitised after rendering, so that raw HTML in the
    text (script, onerror, javascript:) is caught too.
    """
    writer = markdown.Markdown(
        extensions=[
            "tables",
            "fenced_code",
            "sane_lists",
            TocExtension(slugify=_anchor, toc_depth=_TOC_LEVELS),
            _OwnPictures(pictures),
        ]
    )
    # A page has one h1: its own.
    html = writer.convert(text).replace("<h1", "<h2").replace("</h1>", "</h2>")
    served = {shown.url for shown in pictures.values()}

    def allowed(tag: str, attribute: str, value: str) -> str | None:
        if (tag, attribute) == ("img", "src"):
            return value if value in served else None
        if attribute == "id":
            return value if value.startswith(_ANCHOR) else None
        if (tag, attribute) == ("a", "href") and value.startswith("#"):
            return f"#{_ANCHOR}{value[1:].removeprefix(_ANCHOR)}"
        return value

    clean = nh3.clean(
        html,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        attribute_filter=allowed,
        url_schemes=set(_SCHEMES),
        link_rel=_REL,
        set_tag_attribute_values=_ALWAYS,
    )
    tokens: list[Any] = writer.toc_tokens  # type: ignore[attr-defined]  # of its extension
    headings = tuple(Heading(anchor=token["id"], title=_plain(token["name"])) for token in tokens)
    return Rendered(html=mark_safe(clean), headings=headings)  # noqa: S308 - nh3 has just sanitised it


class _OwnPictures(markdown.Extension):
    """Gives images their addresses and sizes by name, and leaves the words of those that there are not."""

    def __init__(self, pictures: Mapping[str, Shown]) -> None:
        super().__init__()
        self.pictures = pictures

    def extendMarkdown(self, md: markdown.Markdown) -> None:  # noqa: N802 - the library's name
        """Run once inline Markdown has become elements."""
        md.treeprocessors.register(_Resolve(md, self.pictures), "own_pictures", 15)


class _Resolve(Treeprocessor):
    def __init__(self, md: markdown.Markdown, pictures: Mapping[str, Shown]) -> None:
        super().__init__(md)
        self.pictures = pictures

    def run(self, root: Element) -> None:
        for image in list(root.iter("img")):
            shown = self.pictures.get(picture_name(image.get("src", "")))
            if shown is None:
                image.tag, image.text = "em", image.get("alt", "")
                image.attrib.clear()
                continue
            image.set("src", shown.url)
            image.set("width", str(shown.width))
            image.set("height", str(shown.height))
            image.set("loading", "lazy")


def picture_name(reference: str) -> str:
    """Return the name of the picture that a text refers to: `chart`, `Chart.png` and `chart.webp` are one."""
    stem, dot, ending = reference.rpartition(".")
    return slugify(stem if dot and len(ending) <= len("webp") else reference)


def _anchor(title: str, separator: str) -> str:
    return f"{_ANCHOR}{slugify(title, allow_unicode=True) or 'part'}"


def _plain(name: str) -> str:
    return unescape(nh3.clean(name, tags=set()))
