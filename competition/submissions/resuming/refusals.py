"""Why a piece is not taken. None of it is said of the entry: whoever sends it asks how far it is, and goes on."""

from __future__ import annotations


class Elsewhere(Exception):
    """The piece does not begin where the upload ends, or somebody else writes on by now."""


class Occupied(Exception):
    """The upload is being made a submission."""


class TooLong(Exception):
    """The piece would end beyond the announced length."""


class Damaged(Exception):
    """The piece is not what its checksum says; nothing of it is kept."""


class Lost(Exception):
    """What was received is not there any more; the upload is over."""
