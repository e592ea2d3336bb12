"""How often anybody may ask, counted by the same address as wrong passwords are."""

from __future__ import annotations

from typing import Any

from rest_framework import throttling

from competition.accounts.addresses import client_address


class _ByAddress:
    def get_ident(self, request: Any) -> str:
        """Return the address that may be believed."""
        return client_address(request)


class AnonRateThrottle(_ByAddress, throttling.AnonRateThrottle):
    """Requests without an account, by address."""


class UserRateThrottle(_ByAddress, throttling.UserRateThrottle):
    """Requests of an account."""


class ScopedRateThrottle(_ByAddress, throttling.ScopedRateThrottle):
    """Requests of one kind, by address."""
