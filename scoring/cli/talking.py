"""What commands that talk to a site share: its address, who is asking, and how refusals end."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console
from rich.markup import escape

from scoring.cli import logins
from scoring.cli.answers import Refused, Unreachable
from scoring.cli.client import Site
from scoring.cli.ending import EXIT_FAULT, EXIT_REJECTED, EXIT_USAGE

WRONG_USAGE: Final = frozenset(
    {
        "not_found",
        "not_authenticated",
        "authentication_failed",
        "second_factor_required",
        "address_not_confirmed",
    }
)
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
NOT_SIGNED_IN: Final = (
    "No token. Run `podium login`, pass --token or set PODIUM_TOKEN; create a token on your account page."
)


class WrongUsageError(Exception):
    """What was typed cannot be done; the text says why."""


def address_of(server: str | None, notes: Console) -> str:
    """Return the site's address, that of the only login if none was given; raises WrongUsageError."""
    found = server or logins.only_server()
    if found is None:
        raise WrongUsageError(
            "Which site? Pass --server https://…, or run `podium login --server https://…` once."
        )
    address = urlsplit(found)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise WrongUsageError(f"--server must look like https://podium.example.org, not “{escape(found)}”.")
    if address.scheme == "http" and address.hostname not in LOOPBACK:
        notes.print("[yellow]This address is not encrypted: others on the network can read your token.[/]")
    return found


def sign_in(site: Site, *, name: str) -> str:
    """Ask for user name and password; return a token of that name."""
    sys.stderr.write("User name: ")
    sys.stderr.flush()
    return site.create_token(sys.stdin.readline().strip(), getpass.getpass("Password: "), name=name)


def ask(server: str | None, token: str | None, question: Callable[[Site], int]) -> int:
    """Put a question to the site; print why it was refused, and return the exit code."""
    notes = Console(stderr=True, highlight=False)
    try:
        found = address_of(server, notes)
        known = token or logins.token_for(found)
        with Site(found, token=known or "") as site:
            return question(site)
    except WrongUsageError as wrong:
        notes.print(str(wrong))
        return EXIT_USAGE
    except Refused as refused:
        notes.print(escape(f"{refused.body['message']} {refused.body.get('hint', '')}".strip()))
        return EXIT_USAGE if refused.code in WRONG_USAGE else EXIT_REJECTED
    except Unreachable as unreachable:
        notes.print(escape(str(unreachable)))
        return EXIT_FAULT
