"""Why a piece is not taken. None of it is said of the entry: whoever sends it asks how far it is, and goes on."""

from __future__ import annotations

from collections.abc import Sequence


class Elsewhere(Exception):
    """The piece does not begin where the upload ends, or somebody else writes on by now."""


class Occupied(Exception):
    """The upload is being made a submission."""


class TooLong(Exception):
    """The piece would end beyond the announced length."""


class Damaged(Exception):
    """The piece is not what its checksum says; nothing of it is kept."""


class Incomplete(Exception):
    """The store lacks parts, or has them in another size; `numbers` says which."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = list(numbers)
        super().__init__(f"{len(self.numbers)} parts")


class Lost(Exception):
    """What was received is not there any more; the upload is over."""
