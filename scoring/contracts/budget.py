"""The rules of budgets: what is held against which limit, and on which side the limit itself stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class BudgetRule:
    """One rule: the field of `Usage`, the field of `Budgets` that bounds it, and the code of an excess.

    Of an `inclusive` budget the limit itself is allowed, of another it is not.
    """

    usage: str
    budget: str
    title: str
    code: str
    inclusive: bool = True

    @property
    def limit_words(self) -> str:
        """Return what stands before the limit in a sentence."""
        return "at most" if self.inclusive else "fewer than"

    def is_over(self, found: float, allowed: float | None) -> bool:
        """Say whether what was found is over the limit; None means no limit."""
        if allowed is None:
            return False
        return found > allowed if self.inclusive else found >= allowed


# The CVPR 2022 rules allow "no more than" so many parameters, and MACs "lower than" their limit.
PARAMETERS_RULE: Final = BudgetRule(
    usage="parameters", budget="max_parameters", title="Parameters", code="parameters_over_budget"
)
MACS_RULE: Final = BudgetRule(
    usage="macs",
    budget="max_macs",
    title="MACs per sample",
    code="macs_over_budget",
    inclusive=False,
)
BYTES_RULE: Final = BudgetRule(
    usage="package_bytes", budget="max_package_bytes", title="Bytes, unpacked", code="package_over_budget"
)
FILES_RULE: Final = BudgetRule(
    usage="package_bytes", budget="max_bytes", title="Bytes, unpacked", code="files_over_budget"
)
"""Bounds by its bytes what an entry can hold, where the track states no budget of bytes."""
BUDGET_RULES: Final = (PARAMETERS_RULE, MACS_RULE, BYTES_RULE, FILES_RULE)
"""What an entry is rejected for."""
LATENCY_RULE: Final = BudgetRule(
    usage="latency_p50_ms", budget="max_latency_ms", title="Latency", code="outside_latency_gate"
)
"""A gate: an entry beyond it is listed and not ranked."""
