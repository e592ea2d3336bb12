"""Lines for whoever watches: each begins with how long ago it all began."""

from __future__ import annotations

import time

from rich.console import Console

console = Console(highlight=False)


class Teller:
    """Prints lines with the seconds since it was made."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long ago it was made."""
        return time.monotonic() - self._begun

    def __call__(self, text: str, style: str | None = None) -> None:
        """Print a line as it is, without reading markup in it."""
        console.print(f"{self.seconds:5.0f} s  {text}", markup=False, style=style, soft_wrap=True)
