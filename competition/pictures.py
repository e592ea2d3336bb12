"""Pictures that are drawn from a name alone: avatars of participants, covers of competitions without a picture.

The same name gives the same picture everywhere and for ever. Nothing is stored, and nobody else is asked.
"""

from __future__ import annotations

import hashlib
import random
from typing import Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

COVER_WIDTH: Final = 1200
COVER_HEIGHT: Final = 480
PALETTES: Final = (
    ("#0d4f46", "#1d8a78", "#8fd3c4", "#f4c95d"),
    ("#153b5c", "#2f74a8", "#9cc9e8", "#f2b28c"),
    ("#43265f", "#7c55a8", "#c9b3e6", "#f0cf6b"),
    ("#5c2434", "#a9485f", "#eab4bd", "#f3d9a4"),
    ("#2f4a1d", "#64903f", "#bfd99f", "#f0b660"),
    ("#4d3b12", "#997420", "#e3c77f", "#9cc5bd"),
    ("#173f4a", "#2b8296", "#a3d5de", "#ef9f86"),
    ("#33324f", "#65639a", "#bdbbe0", "#e6c98f"),
)
"""Each from dark to light, and a spark. Decoration only: nothing is told by these colours."""
_TILE: Final = 120
_CELL: Final = 4
# What a tile of side 4 may hold, each to be turned by quarters about its middle.
_SHAPES: Final = (
    "M0 0H4A4 4 0 0 1 0 4Z",  # a quarter of a disc
    "M0 0H4V2A2 2 0 0 1 0 2Z",  # an arch
    "M0 0H4L0 4Z",  # a triangle
    "M0 0A2 2 0 0 0 4 0ZM0 4A2 2 0 0 1 4 4Z",  # two halves
    "M0 0H4V1H0ZM0 2H4V3H0Z",  # stripes
)
_DISC: Final = "M2 0A2 2 0 0 1 2 4A2 2 0 0 1 2 0Z"
_SMALL_DISC: Final = "M1.4.7A.8.8 0 0 1 1.4 2.3A.8.8 0 0 1 1.4.7Z"


def avatar(name: str) -> SafeString:
    """Return a participant's avatar as an inline SVG of the size that the style sheet says.

    Screen readers skip it: the name stands beside it.
    """
    chance = _chance_of(f"avatar {name}")
    dark, middle, light, spark = chance.choice(PALETTES)
    colours = chance.sample((dark, light, spark), 2)
    shapes = zip((chance.choice(_SHAPES), _SMALL_DISC), (_turn(chance), _turn(chance)), colours, strict=True)
    drawn = format_html_join("", '<path d="{}" transform="rotate({} 2 2)" fill="{}"/>', shapes)
    return format_html(
        '<svg class="avatar" viewBox="0 0 4 4" width="28" height="28" aria-hidden="true">'
        '<path fill="{}" d="M0 0h4v4H0z"/>{}</svg>',
        middle,
        drawn,
    )


def cover(slug: str) -> SafeString:
    """Return a competition's cover as an SVG file of COVER_WIDTH by COVER_HEIGHT."""
    chance = _chance_of(f"cover {slug}")
    palette = chance.choice(PALETTES)
    columns, rows = COVER_WIDTH // _TILE, COVER_HEIGHT // _TILE
    places = ((column * _CELL, row * _CELL) for row in range(rows) for column in range(columns))
    tiles = (_tile(chance, palette, x, y) for x, y in places)
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" width="{2}" height="{3}">'
        '<path fill="{4}" d="M0 0h{0}v{1}H0z"/>{5}</svg>',
        columns * _CELL,
        rows * _CELL,
        COVER_WIDTH,
        COVER_HEIGHT,
        palette[0],
        format_html_join("", "{}{}", tiles),
    )


def _tile(chance: random.Random, palette: tuple[str, ...], x: int, y: int) -> tuple[SafeString | str, ...]:
    """Return a tile's ground and figure; some stay empty, so that the picture has calm places, and sparks are rare."""
    ground = chance.choice((palette[0], palette[0], palette[1]))
    figure = chance.choices((palette[1], palette[2], palette[3]), (5, 4, 2))[0]
    shape, turn = chance.choice((*_SHAPES, _DISC)), _turn(chance)
    is_empty = chance.random() < 0.25 or figure == ground
    return (
        "" if ground == palette[0] else format_html('<path fill="{}" d="M{} {}h4v4h-4z"/>', ground, x, y),
        ""
        if is_empty
        else format_html(
            '<path fill="{}" transform="translate({} {})rotate({} 2 2)" d="{}"/>', figure, x, y, turn, shape
        ),
    )


def _turn(chance: random.Random) -> int:
    return 90 * chance.randrange(4)


def _chance_of(name: str) -> random.Random:
    """Return a sequence of chances that belongs to the name: `hash` would differ from process to process."""
    return random.Random(hashlib.sha256(name.encode()).digest())  # noqa: S311 - pictures, not secrets
