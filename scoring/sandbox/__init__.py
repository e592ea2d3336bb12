"""The sandbox: runs hostile code under limits and hands back bytes that are parsed as hostile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from scoring.errors import Fault
from scoring.sandbox.base import Sandbox

if TYPE_CHECKING:
    from scoring.sandbox.warm import Startable

__all__ = ["BACKENDS", "Backend", "open_for_strangers", "open_sandbox", "why_unfit_for_strangers"]


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A sandbox to choose by name.

    Its class takes `child`, what Python starts inside, and is imported when it is chosen. `for_strangers`
    says whether a worker may run other people's entries in it, started for them or ahead.
    """

    module: str
    name: str
    for_strangers: bool

    def open(self, **options: object) -> Sandbox:
        """Make the sandbox."""
        make: Callable[..., Sandbox] = getattr(import_module(self.module), self.name)
        return make(**options)


BACKENDS: Final[Mapping[str, Backend]] = {
    "bubblewrap": Backend(module="scoring.sandbox.bubblewrap", name="BubblewrapSandbox", for_strangers=True),
    "unconfined": Backend(module="scoring.sandbox.unconfined", name="UnconfinedSandbox", for_strangers=False),
}


def open_sandbox(name: str) -> Sandbox:
    """Make the sandbox of that name."""
    return BACKENDS[name].open()


def open_for_strangers(name: str) -> Startable:
    """Make the sandbox of that name; raise `Fault` if other people's entries must not run in it."""
    unfit = why_unfit_for_strangers(name)
    if unfit:
        raise Fault(unfit)
    return cast("Startable", open_sandbox(name))


def why_unfit_for_strangers(name: str) -> str:
    """Say why workers must not run entries in the sandbox of that name; nothing where they may."""
    fit = [known for known, backend in BACKENDS.items() if backend.for_strangers]
    return "" if name in fit else f"workers cannot use the sandbox “{name}”; choose one of: {', '.join(fit)}"
