"""The reply pipe's lines: what counts of them, and the seal that tells it from what the entry wrote there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scoring.contracts import STARTED_REPLY, Letter

SEAL_BYTES: Final = 32


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the child said: that the entry begins, and its reply, empty for none."""

    entry_began: bool
    reply: bytes


def new_letter(last_filter: str = "", limits: Mapping[str, int] | None = None) -> Letter:
    """Return the letter of one run, with a seal that nobody can guess."""
    return Letter(seal=secrets.token_hex(SEAL_BYTES), limits=limits or {}, last_filter=last_filter)


def unsealed(raw: bytes, letter: Letter) -> Said:
    """Return what the sealed lines say; of two replies none counts."""
    seal = letter.line(b"").rstrip(b"\n")
    messages = [line.removeprefix(seal) for line in raw.split(b"\n")[:-1] if line.startswith(seal)]
    began = messages[:1] == [STARTED_REPLY]
    replies = messages[began:]
    return Said(entry_began=began, reply=replies[0] if len(replies) == 1 else b"")
