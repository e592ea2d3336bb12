"""Ids by which a person who met a fault of ours and the log lines about it are brought together."""

import secrets


def new_reference() -> str:
    """Return an id that is short enough to be read out and long enough to be alone in a log."""
    return secrets.token_hex(4)
