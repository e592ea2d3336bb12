"""Claim, score, record, until nothing is left. One evaluation has one result, whatever fails when."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from competition.references import new_reference
from competition.submissions.lifecycle import CancelRequested, LeaseLost
from scoring.cache.holds import holding
from scoring.errors import Cause, Rejected
from scoring.files.workdirs import workdir
from scoring.worker.causes import cause_of
from scoring.worker.heartbeat import Heartbeat
from scoring.worker.ports import Ports, Work
from scoring.worker.rest import Rest

MAX_DETAIL_CHARACTERS: Final = 20_000
OUTAGES: Final = 20
"""How often a write is tried again that the database did not take; some ten minutes of its failing for nothing else."""

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


def do_nothing() -> None:
    """Leave everything as it is."""


def never_stop() -> None:
    """Go on, always."""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where and how a worker works: its folder, lease and clock, what stops it, what it does between evaluations.

    `rest` says when it may claim; `trim` bounds the cache; `refill` starts ahead what the next evaluation is
    likely to need.
    """

    work_root: Path
    lease_s: float
    clock: Callable[[], float] = time.monotonic
    stop: Callable[[], None] = never_stop
    rest: Rest = field(default_factory=Rest)
    trim: Callable[[], None] = do_nothing
    refill: Callable[[], None] = do_nothing


def drain(ports: Ports, workplace: Workplace) -> int:
    """Evaluate until nothing is claimable; return how many evaluations were worked on."""
    done = 0
    while (work := _claimed(ports, workplace.rest)) is not None:
        with holding():
            evaluate(work, ports, workplace)
            # While it is held: what this evaluation used is what the next one is likely to want.
            workplace.trim()
            workplace.refill()
        done += 1
    return done


def _claimed(ports: Ports, rest: Rest) -> Work | None:
    """Claim as soon as this worker is fit, or return None if nothing waits."""
    rest.until_fit()
    return _outlasting(ports.claim, rest)


def evaluate(work: Work, ports: Ports, workplace: Workplace) -> None:
    """Bring one claimed evaluation to its end, or give it back.

    The one broad `except` of the worker: whatever failed is recorded under a reference and
    logged, and the participant pays nothing. A result that comes too late is dropped.
    """
    try:
        _score_and_record(work, ports, workplace)
    except LeaseLost:
        _log("lease_lost", work)
    except CancelRequested:
        with suppress(LeaseLost):
            _outlasting(partial(ports.record_cancelled, work), workplace.rest)
        _log("cancelled", work)
    except Exception as exc:  # noqa: BLE001  # recorded, logged and retried: nobody is left waiting
        reference, cause = new_reference(), workplace.rest.cause_of(exc)
        _log("fault", work, reference=reference, error=type(exc).__name__, cause=cause.value, exc_info=True)
        with suppress(LeaseLost):
            met = partial(ports.record_fault, work, reference=reference, detail=_detail(exc), cause=cause)
            _outlasting(met, workplace.rest)
        workplace.rest.after(cause)
    except BaseException:
        with suppress(LeaseLost):
            ports.release(work)
        _log("released", work)
        raise


def _score_and_record(work: Work, ports: Ports, workplace: Workplace) -> None:
    heartbeat = Heartbeat(work, ports, lease_s=workplace.lease_s, clock=workplace.clock, stop=workplace.stop)
    with workdir(workplace.work_root) as folder:
        assignment = ports.fetch(work, workdir=folder, tick=heartbeat.tick)
        try:
            report = ports.score(assignment, workdir=folder, note=heartbeat.note)
        except Rejected as rejected:
            _outlasting(partial(ports.record_rejected, work, rejected), workplace.rest)
            _log("rejected", work, code=rejected.code)
        else:
            _outlasting(partial(ports.record_scored, work, report), workplace.rest)
            _log("scored", work)
    workplace.rest.over()


def _outlasting(act: Callable[[], Answer], rest: Rest) -> Answer:
    """Do it, again after each rest while the database is away: no result is thrown away for that.

    The fence keeps what comes too late from being written.
    """
    for _ in range(OUTAGES):
        try:
            return act()
        except Exception as exc:
            if cause_of(exc) is not Cause.DATABASE:
                raise
            rest.after(Cause.DATABASE)
        rest.until_fit()
    return act()


def _detail(exc: Exception) -> str:
    """Return the end of the traceback: its last lines say most."""
    return "".join(traceback.format_exception(exc))[-MAX_DETAIL_CHARACTERS:]


def _log(event: str, work: Work, *, exc_info: bool = False, **fields: object) -> None:
    facts = {"submission": work.submission, "evaluation": work.lease.evaluation, **fields}
    level = logging.ERROR if exc_info else logging.INFO
    log.log(level, event, exc_info=exc_info, extra={"fields": facts})
