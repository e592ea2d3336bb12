"""What allauth asks the site: where a request comes from, and whether a password may be tried."""

from __future__ import annotations

from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from confusable_homoglyphs import confusables
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from competition.accounts import guesses
from competition.accounts.addresses import client_address

MAIL_STAYS_HERE: Final = frozenset(
    f"django.core.mail.backends.{kind}.EmailBackend" for kind in ("console", "dummy", "filebased")
)
"""Ways of sending mail by which none reaches anybody."""
CONFIRMATION_SENT: Final = "account/messages/email_confirmation_sent.txt"
CONFIRMATION_NOT_SENT: Final = "account/messages/email_confirmation_not_sent.txt"


class TooManyAttempts(ValidationError):
    """Too many wrong passwords came from this address; says when another may be tried."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(
            f"Too many wrong passwords came from your address. Try again in {_in_words(wait_s)}.",
            code="too_many_login_attempts",
        )


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library has no types
    """Limits wrong passwords by address and by pair of address and name, on the pages and in the API alike.

    allauth's own limit by name is not asked for passwords; it still bounds guesses at a second factor, which
    only somebody who knows the password can make.
    """

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that all limits of allauth count."""
        return client_address(request)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **named: Any
    ) -> None:
        """Leave a message; a site that sends no mail does not claim that it has."""
        if message_template == CONFIRMATION_SENT and settings.EMAIL_BACKEND in MAIL_STAYS_HERE:
            level, message_template = messages.WARNING, CONFIRMATION_NOT_SENT
        super().add_message(request, level, message_template, *args, **named)

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """Return the name; raises ValidationError for letters of another script that look like the name's own."""
        cleaned: str = super().clean_username(username, shallow=shallow)
        if confusables.is_dangerous(cleaned):
            raise ValidationError(
                "This name mixes letters of several scripts that look alike, such as Latin “a” and Cyrillic “а”. "
                "Use letters of one script.",
                code="look_alike_name",
            )
        return cleaned

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt; raises TooManyAttempts."""
        wait_s = guesses.take_attempt(address=client_address(request), name=_name_in(credentials))
        if wait_s:
            raise TooManyAttempts(wait_s)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Return whose password it is; a right one leaves no trace in the counts."""
        user: AbstractBaseUser | None = super().authenticate(request, **credentials)
        if user is not None:
            guesses.give_back(address=client_address(request), name=_name_in(credentials))
        return user

    def set_password(self, user: AbstractBaseUser, password: str) -> None:
        """Set a password; the wrong ones that its owner tried from here before count no longer."""
        super().set_password(user, password)
        for name in (user.get_username(), getattr(user, "email", "")):
            guesses.forget_pair(address=client_address(self.request), name=name)


def _name_in(credentials: dict[str, Any]) -> str:
    """Return the name as it was typed, be it a user name or an e-mail address."""
    return str(credentials.get("username") or credentials.get("email") or "")


def _in_words(wait_s: int) -> str:
    if wait_s <= 90:
        return f"{wait_s} seconds"
    return f"{-(-wait_s // 60)} minutes"
