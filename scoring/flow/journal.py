"""A flow's progress, and what a rejection reports besides its findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import monotonic
from types import TracebackType
from typing import Self

from scoring.contracts import Finding, Package, Stage, Usage
from scoring.errors import Fault, Rejected
from scoring.flow.runs import Note


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of an entry by now: a warning often says why it failed, a log how."""

    package: Package | None = None
    usage: Usage | None = None
    warnings: tuple[Finding, ...] = ()
    log: str = ""
    timings_s: Mapping[str, float] = field(default_factory=dict)

    def told_by(self, rejection: Rejected) -> Rejected:
        """Return the rejection with what is known beside its findings; its own log comes first."""
        return Rejected(
            *rejection.findings,
            log=rejection.log or self.log,
            timings_s=self.timings_s,
            usage=self.usage,
            warnings=(*self.warnings, *rejection.warnings),
            package=self.package,
        )


class Journal:
    """Announces each stage and takes its time; the flow tells it what it comes to know.

    Out of it come only Rejected, with what was known by then, Fault, and what `note` raises.
    """

    def __init__(self, note: Note, *, known: Known | None = None) -> None:
        self.known = known or Known()
        self._note = note

    def __enter__(self) -> Self:
        """Begin, or go on."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Add to a rejection what is known; turn trouble with our own disk or memory into a fault."""
        if isinstance(error, Rejected):
            raise self.known.told_by(error) from error
        if isinstance(error, OSError | MemoryError):
            raise Fault(f"{type(error).__name__} on our side") from error

    @contextmanager
    def stage(self, stage: Stage, *, timed_as: str = "") -> Iterator[None]:
        """Announce the stage and take its time, under a name of its own if it has one."""
        self._note(stage)
        started = monotonic()
        yield
        took = {timed_as or stage.value: monotonic() - started}
        self.known = replace(self.known, timings_s={**self.known.timings_s, **took})

    def keep(
        self,
        *,
        package: Package | None = None,
        usage: Usage | None = None,
        warnings: tuple[Finding, ...] = (),
        log: str = "",
    ) -> None:
        """Keep what a stage found, beside what is known already."""
        self.known = replace(
            self.known,
            package=package or self.known.package,
            usage=usage or self.known.usage,
            warnings=(*self.known.warnings, *warnings),
            log=log or self.known.log,
        )
