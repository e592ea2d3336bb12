"""How a request ends when it does not end well: an outcome and the facts that its code needs."""

from __future__ import annotations

from scoring.contracts import Outcome


class Refusal(Exception):
    """The entry broke the contract in a way this process can name."""

    def __init__(self, outcome: Outcome, **facts: object) -> None:
        self.outcome = outcome
        self.facts = facts
        super().__init__(outcome.value)


def load_failed(why: str) -> Refusal:
    """Build the refusal of an entry that cannot be loaded."""
    return Refusal(Outcome.LOAD_FAILED, why=why)


def export_failed(why: str) -> Refusal:
    """Build the refusal of a model that cannot be written in another form."""
    return Refusal(Outcome.EXPORT_FAILED, why=why)
