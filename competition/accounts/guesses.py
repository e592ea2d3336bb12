"""Wrong passwords, counted by address and by pair of address and name, and never by the name alone.

A count by name would let any stranger lock an owner out by failing in the owner's name. So a stranger spends their
own attempts: a few at one name, somewhat more at all names together.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from typing import Final, Self

from django.conf import settings
from django.core.cache import cache

_RATE: Final = re.compile(r"(?P<amount>\d+)/(?P<count>\d*)(?P<unit>[smhd])[a-z]*")
_UNIT_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, kw_only=True)
class Rate:
    """How many attempts may fail in a stretch of time."""

    amount: int
    window_s: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read “5/5m” or “100/day”; raises ValueError."""
        found = _RATE.fullmatch(text.strip().lower())
        if found is None:
            raise ValueError(f"not a rate such as 5/5m: {text!r}")
        window_s = int(found["count"] or 1) * _UNIT_S[found["unit"]]
        if window_s == 0:
            raise ValueError(f"a rate needs a time: {text!r}")
        return cls(amount=int(found["amount"]), window_s=window_s)


def take_attempt(*, address: str, name: str, now: float | None = None) -> int:
    """Count an attempt before its password is looked at; return 0, or the seconds until there may be another.

    Counting first keeps attempts at the same moment from all passing. `give_back` undoes it for a right password.
    An attempt that may not be made counts nowhere.
    """
    moment = time.time() if now is None else now
    taken: list[_Count] = []
    for count in _counts(address, name):
        taken.append(count)
        if count.add(1, moment) > count.rate.amount:
            for each in taken:
                each.add(-1, moment)
            return count.rate.window_s - int(moment % count.rate.window_s)
    return 0


def give_back(*, address: str, name: str, now: float | None = None) -> None:
    """Uncount the attempt whose password was right: only wrong ones are limited."""
    moment = time.time() if now is None else now
    for count in _counts(address, name):
        count.add(-1, moment)


def forget_pair(*, address: str, name: str, now: float | None = None) -> None:
    """Forget wrong passwords at one name from one address; its owner has just set a new one."""
    _, pair = _counts(address, name)
    cache.delete(pair.key_at(time.time() if now is None else now))


@dataclass(frozen=True, kw_only=True)
class _Count:
    """What is counted in the cache, anew in each stretch of time."""

    key: str
    rate: Rate

    def key_at(self, moment: float) -> str:
        return f"{self.key}:{int(moment // self.rate.window_s)}"

    def add(self, step: int, moment: float) -> int:
        """Return the count after the step; atomic where the cache is."""
        key = self.key_at(moment)
        cache.add(key, 0, self.rate.window_s)
        try:
            return cache.incr(key, step)
        except ValueError:  # it ended between the two lines
            return max(step, 0)


def _counts(address: str, name: str) -> tuple[_Count, _Count]:
    """Return the count of the address and that of the pair."""
    own_name = name.strip().lower()
    return (
        _Count(key=_key("address", address), rate=Rate.parse(settings.LOGIN_RATE_ADDRESS)),
        _Count(key=_key("pair", f"{address} {own_name}"), rate=Rate.parse(settings.LOGIN_RATE_PAIR)),
    )


def _key(kind: str, text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"wrong-passwords:{kind}:{digest}"
