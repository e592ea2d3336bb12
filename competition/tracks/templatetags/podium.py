"""Numbers, times and form fields as pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from django import forms, template
from django.forms.boundfield import BoundField
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from competition.markdown import to_html
from competition.moments import in_utc
from competition.pictures import COVER_HEIGHT, COVER_WIDTH, avatar
from competition.tracks.models import Competition, Track
from scoring.reports.figures import beside_gate, detail_in_words, exactly, latency_in_words, percent

register = template.Library()

_SCORE_DECIMALS: Final = 4
_DECIMAL_PREFIXES: Final = ("", "k", "M", "G", "T", "P")
_DETAIL_NAMES: Final = {
    "mcc": "MCC",
    "brier": "Brier score",
    "map50": "mAP@.50",
    "map75": "mAP@.75",
    "tp": "true positives",
    "fp": "false positives",
    "fn": "false negatives",
    "tn": "true negatives",
}
_SHOWN_S: Final = 0.1
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_TICKS: Final = (forms.CheckboxInput, forms.RadioSelect, forms.CheckboxSelectMultiple)

register.filter("markdown", to_html)
register.filter("percent", percent)
register.filter("exactly", exactly)
register.filter("beside_gate", beside_gate)
register.simple_tag(latency_in_words)
register.simple_tag(avatar)


@register.simple_tag
def moment(when: datetime | None, missing: str = "–") -> SafeString | str:
    """Return a <time> in UTC, which a script rewrites in the viewer's zone."""
    if when is None:
        return missing
    utc = when.astimezone(UTC)
    return format_html(
        '<time class="nowrap" datetime="{}">{}</time>',
        utc.isoformat(timespec="seconds"),
        in_utc(utc),
    )


@register.filter
def short_number(value: float) -> str:
    """Return a count with a decimal prefix, e.g. 1819066368 as "1.819 G"."""
    scaled, power = float(value), 0
    while abs(scaled) >= 1000 and power < len(_DECIMAL_PREFIXES) - 1:
        scaled, power = scaled / 1000, power + 1
    return f"{scaled:.4g} {_DECIMAL_PREFIXES[power]}".strip()


@register.filter
def in_bytes(value: float) -> str:
    """Return a size in decimal units, e.g. 47000000 as "47 MB"."""
    number = short_number(value)
    return f"{number}B" if number[-1].isalpha() else f"{number} bytes"


@register.filter
def binary_bytes(value: float) -> str:
    """Return a limit that is set in powers of two, e.g. 536870912 as "512 MiB"."""
    scaled, unit = float(value), 0
    units = ("bytes", "KiB", "MiB", "GiB", "TiB")
    while scaled >= 1024 and unit < len(units) - 1:
        scaled, unit = scaled / 1024, unit + 1
    return f"{scaled:.4g} {units[unit]}"


@register.filter
def duration(seconds: float | None) -> str:
    """Return seconds in words, e.g. 3725 as "1 h 2 min"."""
    if seconds is None:
        return "–"
    if 0 < seconds < _SHOWN_S:
        return f"under {_SHOWN_S:g} s"
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s" if 0 < seconds < 10 else f"{seconds:.0f} s"
    whole = round(seconds)
    if whole < _HOUR_S:
        return _two_units(whole, _MINUTE_S, "min", 1, "s")
    return _two_units(whole, _HOUR_S, "h", _MINUTE_S, "min")


def _two_units(seconds: int, large_s: int, large: str, small_s: int, small: str) -> str:
    rest = seconds % large_s // small_s
    return f"{seconds // large_s} {large}" + (f" {rest} {small}" if rest else "")


@register.filter
def ticks(text: str) -> SafeString:
    """Return a sentence whose `backticked` words are shown as code."""
    parts = text.split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if n % 2 else part,) for n, part in enumerate(parts))
    )


@register.filter
def command(line: str) -> SafeString:
    """Return a command whose line is broken between words only: a browser would break "--track" too."""
    return format_html_join(" ", "<span>{}</span>", ((word,) for word in line.split(" ")))


@register.filter
def score(value: float | None) -> str:
    """Return a score with four decimals."""
    return "–" if value is None else f"{value:.{_SCORE_DECIMALS}f}"


@register.filter
def signed_score(value: float) -> str:
    """Return a difference of scores with its sign."""
    return f"{value:+.{_SCORE_DECIMALS}f}"


@register.filter
def quarters(share: float) -> str:
    """Return a share that was rounded down to quarters in words."""
    return "all" if share >= 1 else f"{share:.0%} or more"


@register.simple_tag
def detail_value(name: str, number: float) -> str:
    """Return a score's detail with the same precision as the score."""
    return detail_in_words(name, number, _SCORE_DECIMALS)


@register.filter
def detail_name(name: str, names: Sequence[str] = ()) -> str:
    """Return the readable name of a score's detail, such as "IoU of class 7" for "iou_7"."""
    kind, _, number = name.partition("_")
    if kind == "iou" and number:
        return (
            f"IoU of {number} {names[int(number)]}" if int(number) < len(names) else f"IoU of class {number}"
        )
    return _DETAIL_NAMES.get(name, name.replace("_", " "))


@register.filter
def styled(field: BoundField) -> SafeString:
    """Render a form field with the class its widget needs."""
    widget = field.field.widget
    css = "form-check-input" if isinstance(widget, _TICKS) else "form-control"
    if field.errors:
        css += " is-invalid"
    return field.as_widget(attrs={"class": css})


@register.filter
def is_tick(field: BoundField) -> bool:
    """Say whether a field is a checkbox, which has its label after it."""
    return isinstance(field.field.widget, _TICKS)


@register.filter
def contains(items: Iterable[object], wanted: object) -> bool:
    """Say whether a list holds a value."""
    return wanted in items


@register.filter
def item(mapping: Mapping[str, object], key: str) -> object:
    """Return a mapping's value, or None."""
    return mapping.get(key)


@register.filter
def class_number(number: str | int, names: Sequence[str]) -> SafeString:
    """Return a class's number, with its name if it has one."""
    text = str(number)
    known = text.isascii() and text.isdecimal() and int(text) < len(names or ())
    if not known:
        return format_html("{}", text)
    return format_html('{} <span class="class-name">{}</span>', text, names[int(text)])


@register.filter
def time_left(until: datetime, now: datetime) -> str:
    """Return how long it is until then, in the unit that people would say, rounded down."""
    seconds = (until - now).total_seconds()
    for unit_s, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= (2 * unit_s if unit == "day" else unit_s):
            count = int(seconds // unit_s)
            return f"{count:,} {unit}{'' if count == 1 else 's'} left"
    return "under a minute left"


@register.simple_tag
def cover(competition: Competition, *, small: bool = False) -> SafeString:
    """Return a competition's picture, with its size, so that nothing moves when it comes; decoration without words."""
    picture = competition.picture
    if picture is None:
        address, width, height = reverse("cover", args=[competition.slug]), COVER_WIDTH, COVER_HEIGHT
    else:
        name = "small-picture" if small else "picture"
        address = f"{reverse(name, args=[competition.slug, picture.name])}?v={picture.sha256[:12]}"
        width, height = picture.width, picture.height
    return format_html(
        '<img class="cover" src="{}" alt="" width="{}" height="{}"{}>',
        address,
        width,
        height,
        mark_safe(' loading="lazy"') if small else "",
    )


@register.simple_tag
def window_state(track: Track, now: datetime) -> SafeString:
    """Return whether the track takes submissions, as a word."""
    if not track.is_open:
        return format_html('<span class="state state-failed">{}</span>', "Not open, organisers only")
    if track.is_closed(now):
        return format_html('<span class="state state-ended">{}</span>', "Ended")
    if not track.is_taking_submissions(now):
        return format_html('<span class="state">{}</span>', "Opens later")
    return format_html('<span class="state state-open">{}</span>', "Open")
