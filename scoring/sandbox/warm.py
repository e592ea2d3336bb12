"""Sandboxes started ahead: each stands with its libraries loaded, empty folders bound, and waits for one job.

A spare is the ordinary sandbox and is used once. What it lacks is the job: entry and inputs appear in its
folders when it is their turn, and the limits that depend on a job are taken before the entry runs.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from scoring.contracts import Kind, RunLimits, Task
from scoring.environment import installed_environment
from scoring.errors import Fault
from scoring.sandbox.base import Job, Run, Sandbox
from scoring.sandbox.bubblewrap import Opened
from scoring.sandbox.workfiles import Slot

STARTED_AHEAD: Final = frozenset({Task.MEASURE, Task.COUNT, Task.PREDICT})
SPARE_BYTES: Final = 512 * 2**20
"""What a spare takes at most while it waits: its libraries, some 200 to 300 MiB of memory of its own."""
ANY: Final = RunLimits()

log = logging.getLogger(__name__)

Wanted = tuple[Kind, RunLimits]


class Startable(Sandbox, Protocol):
    """A sandbox that can be started before there is a job for it."""

    def opened(
        self, kind: Kind, limits: RunLimits, given: Mapping[str, Path], outputs: Path
    ) -> AbstractContextManager[Opened]:
        """Start a child that waits for its job; it is dead in the end."""


@dataclass(frozen=True)
class _Spare:
    """A sandbox that waits for a job it was started for; closing `held` ends it and removes its folder."""

    wanted: Wanted
    opened: Opened
    slot: Slot
    environment: Mapping[str, str]
    held: ExitStack


@dataclass
class WarmSandbox:
    """Runs jobs in spares where it has one that fits, and otherwise in `inner`, at the same limits.

    `folder` makes a folder and removes it; it has to lie on the file system of entries and inputs. `most` is
    how many spares may wait, and `free_bytes` tells how much memory the machine has left. Close it in the end,
    in the thread that used it.
    """

    inner: Startable
    folder: Callable[[], AbstractContextManager[Path]]
    most: int = 6
    free_bytes: Callable[[], int] = field(default_factory=lambda: available_bytes)
    _spares: list[_Spare] = field(default_factory=list)
    _used: list[Wanted] = field(default_factory=list)
    _earlier: dict[Wanted, None] = field(default_factory=dict)

    @property
    def isolated(self) -> bool:
        """Say that entry code is kept away from the machine."""
        return self.inner.isolated

    @property
    def has_spare(self) -> bool:
        """Say whether a sandbox was started and stands by."""
        return any(spare.opened.is_alive for spare in self._spares)

    def run(self, job: Job, *, workdir: Path, tick: Callable[[], None]) -> Run:
        """Run the job in a spare or in a sandbox started now; raise `Fault` as that does."""
        if job.request.task in STARTED_AHEAD:
            run = self._run_in_spare(job, workdir, tick)
            if run is not None:
                return run
        return self.inner.run(job, workdir=workdir, tick=tick)

    def expect(self, kinds: Iterable[Kind], limits: RunLimits) -> None:
        """Start what will be asked for, as far as it does not wait already; a kind may be named twice."""
        self._keep([(kind, _that_matter(limits)) for kind in kinds])

    def refill(self) -> None:
        """Start what was used since the last time, and one of each kind that was used before: it may come again."""
        used, self._used = self._used, []
        for wanted in used:
            self._earlier.pop(wanted, None)
            self._earlier[wanted] = None
        while len(self._earlier) > self.most:
            self._earlier.pop(next(iter(self._earlier)))
        others = [wanted for wanted in reversed(self._earlier) if wanted not in used]
        self._keep([*used, *others])

    def close(self) -> None:
        """End all spares."""
        while self._spares:
            self._spares.pop().held.close()

    def _run_in_spare(self, job: Job, workdir: Path, tick: Callable[[], None]) -> Run | None:
        """Return the run; None where no spare waits for such a job, or its files cannot be linked."""
        wanted = job.kind, _that_matter(job.limits)
        self._used.append(wanted)
        spare = self._taken(wanted)
        if spare is None:
            return None
        with spare.held:
            try:
                exhibits = spare.slot.fill(job, workdir)
            except OSError as exc:
                log.info("spare_unfit", extra={"fields": {"why": str(exc)}})
                return None
            return spare.opened.play(job, exhibits, tick)

    def _taken(self, wanted: Wanted) -> _Spare | None:
        """Take a spare that waits for such a job, if there is one."""
        self._drop_unfit()
        for place, spare in enumerate(self._spares):
            if spare.wanted == wanted:
                return self._spares.pop(place)
        return None

    def _keep(self, all_wanted: Sequence[Wanted]) -> None:
        """Start what does not wait yet, unless memory is short, and end others where there are too many."""
        self._drop_unfit()
        waiting = [spare.wanted for spare in self._spares]
        for wanted in all_wanted[: self.most]:
            if wanted in waiting:
                waiting.remove(wanted)
                continue
            self._make_room(all_wanted)
            if not self._start(wanted):
                return

    def _drop_unfit(self) -> None:
        """End what died while it waited, or loaded other packages than are installed by now."""
        environment = installed_environment()
        for spare in list(self._spares):
            if not spare.opened.is_alive or spare.environment != environment:
                self._end(spare)

    def _make_room(self, wanted: Collection[Wanted]) -> None:
        """End a spare that nobody asks for, else the one that waits longest, where there are as many as may be."""
        while len(self._spares) >= self.most:
            self._end(min(self._spares, key=lambda spare: spare.wanted in wanted))

    def _end(self, spare: _Spare) -> None:
        self._spares.remove(spare)
        spare.held.close()

    def _start(self, wanted: Wanted) -> bool:
        """Start a spare and say yes, unless memory is short; a spare is no reason to fail."""
        kind, limits = wanted
        if self.free_bytes() - SPARE_BYTES < limits.max_memory_bytes:
            return False
        try:
            self._spares.append(self._started(kind, limits))
        except (Fault, OSError) as exc:
            log.warning("spare_not_started", extra={"fields": {"why": str(exc)}})
            return False
        return True

    def _started(self, kind: Kind, limits: RunLimits) -> _Spare:
        with contextlib.ExitStack() as held:
            slot = Slot(held.enter_context(self.folder()))
            slot.prepare()
            environment = installed_environment()
            opened = held.enter_context(self.inner.opened(kind, limits, slot.mounts, slot.outputs))
            return _Spare((kind, limits), opened, slot, environment, held.pop_all())


def _that_matter(limits: RunLimits) -> RunLimits:
    """Return the limits without those that come with the job."""
    return replace(
        limits,
        batch_size=ANY.batch_size,
        seed=ANY.seed,
        measure_timeout_s=ANY.measure_timeout_s,
        predict_timeout_s=ANY.predict_timeout_s,
        max_file_bytes=ANY.max_file_bytes,
        max_log_bytes=ANY.max_log_bytes,
    )


def available_bytes() -> int:
    """Return how much memory processes can still have without swapping; 0 where the kernel does not tell."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 0
