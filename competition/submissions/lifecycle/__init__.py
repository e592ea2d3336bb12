"""The life of an evaluation: the only package that writes a status.

`leases` says who may write, `transitions` which status may follow which, `outcomes` what a worker
records, `faults` what our own trouble means and `requests` what others ask for.
"""

from competition.submissions.lifecycle.leases import (
    CancelRequested,
    Lease,
    LeaseLost,
    check,
    claim,
    claimable,
    note_stage,
    renew,
)
from competition.submissions.lifecycle.outcomes import (
    record_cancelled,
    record_fault,
    record_rejected,
    record_scored,
    release,
)
from competition.submissions.lifecycle.requests import abandoned, cancel, retry, take_back_abandoned
from competition.submissions.lifecycle.transitions import LEGAL, IllegalTransition

__all__ = [
    "LEGAL",
    "CancelRequested",
    "IllegalTransition",
    "Lease",
    "LeaseLost",
    "abandoned",
    "cancel",
    "check",
    "claim",
    "claimable",
    "note_stage",
    "record_cancelled",
    "record_fault",
    "record_rejected",
    "record_scored",
    "release",
    "renew",
    "retry",
    "take_back_abandoned",
]
