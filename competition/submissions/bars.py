"""Usage against budget, ready to be drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scoring.contracts import (
    BUDGET_RULES,
    BYTES_RULE,
    MACS_RULE,
    PARAMETERS_RULE,
    ArchiveLimits,
    BudgetRule,
    Budgets,
)


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One measured quantity and its budget; `allowed` is None where the track has no limit."""

    title: str
    used: int
    allowed: int | None
    limit_words: str
    is_over: bool

    @property
    def percent(self) -> int | None:
        """Return usage as a whole percentage of the budget, rounded down."""
        return None if not self.allowed else 100 * self.used // self.allowed

    @property
    def filled_percent(self) -> int:
        """Return how much of the bar is drawn filled; what is over the budget cannot be drawn."""
        return min(100, self.percent or 0)


def bars(usage: Mapping[str, int], budgets: Mapping[str, int | None]) -> tuple[Bar, ...]:
    """Return a bar for each budget that everything measured is held against."""
    rules = (PARAMETERS_RULE, MACS_RULE, BYTES_RULE)
    return tuple(_bar(rule, usage[rule.usage], budgets.get(rule.budget)) for rule in rules)


def budgets_of(spec: Mapping[str, Any]) -> Mapping[str, int | None]:
    """Return a track's budgets, with the most that the files of a package may weigh as that of bytes."""
    budgets: Mapping[str, int | None] = spec.get("budgets", {})
    own = Budgets(
        max_parameters=budgets.get("max_parameters"), max_package_bytes=budgets.get("max_package_bytes")
    )
    limit = own.max_bytes
    if limit is None:
        limit = spec.get("archive_limits", {}).get("max_unpacked_bytes", ArchiveLimits.max_unpacked_bytes)
    return {**budgets, "max_package_bytes": limit}


def exceeded(findings: Iterable[Mapping[str, Any]]) -> tuple[Bar, ...]:
    """Return the bars of a rejection's findings: what was over budget, since nothing else was recorded."""
    rules = {rule.code: rule for rule in BUDGET_RULES}
    return tuple(
        _bar(rules[found["code"]], found["facts"]["found"], found["facts"]["allowed"])
        for found in findings
        if found["code"] in rules
    )


def _bar(rule: BudgetRule, used: int, allowed: int | None) -> Bar:
    return Bar(
        title=rule.title,
        used=used,
        allowed=allowed,
        limit_words=rule.limit_words,
        is_over=rule.is_over(used, allowed),
    )
