"""What must hold before a worker takes work: asserted at its start, not only documented."""

from __future__ import annotations

import logging

from celery.concurrency import get_implementation, solo
from celery.worker import WorkController

from scoring.environment import unpinned_packages
from scoring.sandbox import why_unfit_for_strangers
from scoring.sandbox.trial import trial_failure

log = logging.getLogger(__name__)


def refuse_unfit_worker(worker: WorkController, *, sandbox: str) -> None:
    """Raise SystemExit with every reason why this worker must not start; log each.

    Entries then wait for a worker that is fit, instead of failing one after another.
    """
    reasons = [
        *unfit_pool(worker.concurrency, get_implementation(worker.pool_cls), worker.prefetch_multiplier),
        *(f"{found}; install with `--constraint .ci/constraints.txt`" for found in unpinned_packages()),
        *unfit_sandbox(sandbox),
    ]
    for reason in reasons:
        log.critical("worker_unfit", extra={"fields": {"reason": reason}})
    if reasons:
        raise SystemExit("; ".join(reasons))


def unfit_pool(concurrency: int, pool: type, prefetch_multiplier: int) -> tuple[str, ...]:
    """Return why Celery's settings do not suit evaluations, which need the machine for themselves."""
    found = []
    if concurrency != 1:
        found.append(f"concurrency is {concurrency}, not 1: start more workers instead")
    if pool is not solo.TaskPool:
        found.append(f"the pool is {pool.__module__}, not solo: signals would not reach the evaluation")
    if prefetch_multiplier != 1:
        found.append(f"the prefetch multiplier is {prefetch_multiplier}, not 1")
    return tuple(found)


def unfit_sandbox(name: str) -> tuple[str, ...]:
    """Return why strangers' entries cannot be run in the sandbox that the settings name."""
    unfit = why_unfit_for_strangers(name)
    if unfit:
        return (unfit,)
    failure = trial_failure(name)
    if failure:
        return (f"the sandbox does not work here: {failure}; `podium doctor` explains what is missing",)
    return ()
