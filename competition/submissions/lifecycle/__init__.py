"""The life of an evaluation: the only package that writes a status.

`leases` says who may write, `transitions` which status may follow which, `outcomes` what a worker
records, `faults` what our own trouble means, `requests` what others ask for, `waiting` how the queue's order is
kept and `rebuilding` that it is right.
"""

from competition.submissions.lifecycle.faults import left_to_others
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
from competition.submissions.lifecycle.rebuilding import examine_queue, rebuild_queue
from competition.submissions.lifecycle.requests import (
    abandoned,
    cancel,
    enforce_quarantine,
    lift_quarantine,
    quarantine,
    retry,
    take_back_abandoned,
)
from competition.submissions.lifecycle.transitions import LEGAL, IllegalTransition
from competition.submissions.lifecycle.waiting import enter, seize_line, take_in

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
    "enforce_quarantine",
    "enter",
    "examine_queue",
    "left_to_others",
    "lift_quarantine",
    "note_stage",
    "quarantine",
    "rebuild_queue",
    "record_cancelled",
    "record_fault",
    "record_rejected",
    "record_scored",
    "release",
    "renew",
    "retry",
    "seize_line",
    "take_back_abandoned",
    "take_in",
]
