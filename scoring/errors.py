"""What can go wrong and whose doing it is.

    PodiumError
    ├── Rejected      the entrant's doing: final, carries findings with codes and numbers
    └── Fault         ours: retried, never charged to the entrant

A stage raises `Rejected` with findings (code + facts); text is rendered from the table of
`scoring.codes` where it is shown and is never matched on. Facts never hold hidden data, host paths
or host names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scoring.codes import CODES
from scoring.contracts import Finding, Package, Usage


class PodiumError(Exception):
    """Root of everything that Podium raises on purpose."""


class Rejected(PodiumError):
    """The entry breaks a rule. Final; `findings` hold every problem found, the gravest first.

    `warnings`, `package` and `usage` are what was known by then: a warning often says why the entry
    failed, and usage is shown against the budgets.
    """

    def __init__(
        self,
        *findings: Finding,
        log: str = "",
        timings_s: Mapping[str, float] | None = None,
        usage: Usage | None = None,
        warnings: Iterable[Finding] = (),
        package: Package | None = None,
    ) -> None:
        if not findings:
            raise ValueError("Rejected needs at least one finding")
        self.findings = findings
        self.log = log
        self.timings_s = dict(timings_s or {})
        self.usage = usage
        self.warnings = tuple(warnings)
        self.package = package
        super().__init__(", ".join(finding.code for finding in findings))

    @property
    def code(self) -> str:
        """Code of the gravest finding; the submission's code."""
        return self.findings[0].code


class Cause(StrEnum):
    """What of ours failed, as far as is known."""

    STORAGE = "storage"
    DISK = "disk"
    DATABASE = "database"
    BROKER = "broker"
    SANDBOX = "sandbox"
    LOST_FILE = "lost file"
    LOST_WORKER = "lost worker"
    UNKNOWN = "unknown"

    @property
    def counts(self) -> bool:
        """Say whether the entry may be what makes us fail; else it would have failed whoever came."""
        return self not in SHARED


SHARED: Final = frozenset({Cause.STORAGE, Cause.DISK, Cause.DATABASE, Cause.BROKER, Cause.SANDBOX})
"""Trouble that all entries meet alike: workers rest until it is over, and no entry loses an attempt."""


class Fault(PodiumError):
    """Something of ours failed. Retried; the entrant pays nothing and reads only a reference id."""

    def __init__(self, message: str, *, cause: Cause = Cause.UNKNOWN) -> None:
        self.cause = cause
        super().__init__(message)


def reject(code: str, *, path: str = "", log: str = "", **facts: object) -> Rejected:
    """Build a `Rejected` with a single finding."""
    return Rejected(Finding(code=code, path=path, facts=facts), log=log)


@dataclass(frozen=True)
class RenderedFinding:
    """A finding as pages, the API and the command line show it."""

    code: str
    path: str
    message: str
    hint: str


def render(finding: Finding) -> RenderedFinding:
    """Return the finding's sentence and hint from the table, filled with its facts."""
    entry = CODES[finding.code]
    facts = {"path": finding.path, **finding.facts}
    return RenderedFinding(
        code=finding.code,
        path=finding.path,
        message=entry.message.format_map(facts),
        hint=entry.hint.format_map(facts),
    )


def render_stored(finding: Finding) -> RenderedFinding:
    """Render a finding that was stored, perhaps by a release whose codes or facts were different.

    A code that this release cannot put into words is shown as it is.
    """
    try:
        return render(finding)
    except (KeyError, TypeError, ValueError):
        return RenderedFinding(
            code=finding.code,
            path=finding.path,
            message=f"Podium recorded the code “{finding.code}”.",
            hint="This release has no explanation for it; a different release evaluated the entry.",
        )


def render_all(findings: Iterable[Finding]) -> tuple[RenderedFinding, ...]:
    """Render several findings in their order."""
    return tuple(render(finding) for finding in findings)
