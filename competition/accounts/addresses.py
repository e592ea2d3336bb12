"""Where a request comes from, as far as that may be believed: what every limit by address counts."""

from __future__ import annotations

import ipaddress
from typing import Final

from django.conf import settings
from django.http import HttpRequest

IPV6_PREFIX: Final = 64
UNKNOWN: Final = "unknown"


def client_address(request: HttpRequest) -> str:
    """Return the address of the client, of IPv6 its network: one line has 2^64 addresses to call from.

    Each proxy appends the address that it was called from to X-Forwarded-For, and anybody may send that header
    with anything in it. So only as many of its last entries are believed as there are proxies of ours.
    """
    believed = _entry_of_our_proxies(request.headers.get("X-Forwarded-For", ""))
    return _network(believed) or _network(request.META.get("REMOTE_ADDR", "")) or UNKNOWN


def _entry_of_our_proxies(forwarded: str) -> str:
    proxies: int = settings.PROXIES
    entries = forwarded.split(",")
    return entries[-proxies] if 0 < proxies <= len(entries) else ""


def _network(text: str) -> str:
    """Return the address, or its IPv6 network; empty for what is neither."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), IPV6_PREFIX), strict=False))
