"""Claim, score, record, until nothing is left. One evaluation has one result, whatever fails when."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from competition.references import new_reference
from competition.submissions.lifecycle import CancelRequested, LeaseLost
from scoring.cache.holds import holding
from scoring.errors import Rejected
from scoring.files.workdirs import workdir
from scoring.worker.heartbeat import Heartbeat
from scoring.worker.ports import Ports, Work

MAX_DETAIL_CHARACTERS: Final = 20_000

log = logging.getLogger(__name__)


def do_nothing() -> None:
    """Leave everything as it is."""


def never_stop() -> None:
    """Go on, always."""


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where and how a worker works: its folder, lease and clock, what stops it, what it does between evaluations.

    `trim` bounds the cache; `refill` starts ahead what the next evaluation is likely to need.
    """

    work_root: Path
    lease_s: float
    clock: Callable[[], float] = time.monotonic
    stop: Callable[[], None] = never_stop
    trim: Callable[[], None] = do_nothing
    refill: Callable[[], None] = do_nothing


def drain(ports: Ports, workplace: Workplace) -> int:
    """Evaluate until nothing is claimable; return how many evaluations were worked on."""
    done = 0
    while (work := ports.claim()) is not None:
        with holding():
            evaluate(work, ports, workplace)
            # While it is held: what this evaluation used is what the next one is likely to want.
            workplace.trim()
            workplace.refill()
        done += 1
    return done


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
            ports.record_cancelled(work)
        _log("cancelled", work)
    except Exception as exc:  # noqa: BLE001  # recorded, logged and retried: nobody is left waiting
        reference = new_reference()
        _log("fault", work, reference=reference, error=type(exc).__name__, exc_info=True)
        with suppress(LeaseLost):
            ports.record_fault(work, reference=reference, detail=_detail(exc))
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
            ports.record_rejected(work, rejected)
            _log("rejected", work, code=rejected.code)
        else:
            ports.record_scored(work, report)
            _log("scored", work)


def _detail(exc: Exception) -> str:
    """Return the end of the traceback: its last lines say most."""
    return "".join(traceback.format_exception(exc))[-MAX_DETAIL_CHARACTERS:]


def _log(event: str, work: Work, *, exc_info: bool = False, **fields: object) -> None:
    facts = {"submission": work.submission, "evaluation": work.lease.evaluation, **fields}
    level = logging.ERROR if exc_info else logging.INFO
    log.log(level, event, exc_info=exc_info, extra={"fields": facts})
