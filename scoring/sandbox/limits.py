"""The kernel's limits on each single process of a run; the watcher adds those on all together."""

from __future__ import annotations

import math
import os
from typing import Final

from scoring.contracts import ALONE, LENGTH_BYTES, ON_TRIALS, WRITING, RunLimits, Task
from scoring.sandbox.base import Job

MAX_OPEN_FILES: Final = 1024
# Writable address space that is reserved and never touched: the allocator's 256 MiB on top of the heap
# (MALLOC_TOP_PAD_), its arenas, and thread stacks. The watcher counts touched memory only.
RESERVED_BYTES: Final = 768 * 2**20


def expected_output_bytes(job: Job) -> int:
    """Return how long a complete outputs file is; of a written model, how long it may be."""
    request = job.request
    if request.task in WRITING:
        return job.limits.max_file_bytes
    rows = request.samples + request.trials + ALONE if request.task in ON_TRIALS else request.rows
    graph = LENGTH_BYTES + job.limits.max_file_bytes if request.trials else 0
    return graph + rows * request.output.width * 4


def processors(job: Job) -> list[int] | None:
    """Return the processors that a timed run must stay on: as many of ours as the track has threads.

    An entry can start more threads than that, and would be fast on a machine with many processors.
    Elsewhere more threads gain it nothing that counts.
    """
    if job.request.task is not Task.LATENCY or not hasattr(os, "sched_getaffinity"):
        return None
    return sorted(os.sched_getaffinity(0))[: job.limits.threads]


def resource_limits(job: Job) -> dict[str, int]:
    """Return all limits of a job by their names in the `resource` module."""
    return limits_before_a_job(job.limits) | limits_of_a_job(job)


def limits_before_a_job(limits: RunLimits) -> dict[str, int]:
    """Return what holds whichever job comes.

    Memory is RLIMIT_DATA, private writable memory: RLIMIT_AS would also count torch's libraries, the
    mapped input array and address space that allocators reserve and never touch. With it a model
    that is too large gets a MemoryError that it can report, before the watcher has to kill it.
    """
    return {
        "RLIMIT_DATA": limits.max_memory_bytes + RESERVED_BYTES,
        "RLIMIT_NPROC": limits.max_processes,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": MAX_OPEN_FILES,
        "RLIMIT_MEMLOCK": 2**16,
        "RLIMIT_MSGQUEUE": 0,
    }


def limits_of_a_job(job: Job) -> dict[str, int]:
    """Return what depends on the time that a job has and on what it writes."""
    return {
        "RLIMIT_FSIZE": max(job.limits.max_file_bytes, expected_output_bytes(job)),
        "RLIMIT_CPU": math.ceil(job.timeout_s * job.limits.threads) + 1,
    }
