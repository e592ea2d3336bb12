"""The child process: loads its libraries, waits for one request, does its task, writes one reply and leaves."""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from scoring.contracts import FORMAT_FACTS, Kind, Letter, Request, Task
from scoring.sandboxed.channel import Channel, Reply, ReplyPipe, leave, read_letter
from scoring.sandboxed.inputs import Pixels, open_inputs, open_paced
from scoring.sandboxed.loaders import loader_of
from scoring.sandboxed.processes import put_on, refuse_processes
from scoring.sandboxed.refusal import Refusal

TASKS: Final[Mapping[Task, str]] = {
    Task.COUNT: "scoring.sandboxed.tasks.count",
    Task.PREDICT: "scoring.sandboxed.tasks.predict",
    Task.LATENCY: "scoring.sandboxed.tasks.latency",
    Task.EXPORT: "scoring.sandboxed.tasks.export",
    Task.COMPILE: "scoring.sandboxed.tasks.compile",
    Task.TRACE: "scoring.sandboxed.tasks.trace",
    Task.QUANTISE: "scoring.sandboxed.tasks.quantise",
    Task.CALIBRATE: "scoring.sandboxed.tasks.calibrate",
}
"""The module that does a task; how an entry is measured depends on its format."""


Work = Callable[[], Reply]


class TaskModule(Protocol):
    """A module that does a task."""

    def run(self, request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
        """Load the entry, do the task and return the reply; raise `Refusal` if the entry fails."""


def main() -> None:
    """Load what the kind on the command line needs, wait for the letter, and do the request; never return."""
    # What the environment adds for its own machine is not here, and would only tell of that.
    sys.path[:] = [folder for folder in sys.path if Path(folder).exists()]
    given = _given()
    task = preload(given.kind)
    letter = read_letter()
    request = Request.from_json(given.request.read_text())
    pipe = ReplyPipe(given.reply, letter)
    try:
        work = _work(task, request, given)
        settle(letter, request)
        pipe.started()
        reply = work()
    except Refusal as refusal:
        _end(pipe, {"outcome": refusal.outcome, "facts": refusal.facts}, exit_code=1)
    _end(pipe, reply, exit_code=0)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scoring.sandboxed")
    parser.add_argument("--kind", type=Kind.from_word, required=True)
    for name in ("request", "package", "inputs", "outputs"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--reply", type=int, required=True)
    return parser.parse_args()


def preload(kind: Kind) -> TaskModule:
    """Import all of ours before the entry is, so that a broken library of ours does not look like its doing."""
    task, *_ = [import_module(name) for name in modules_of(kind)]
    return cast(TaskModule, task)


def modules_of(kind: Kind) -> tuple[str, ...]:
    """Return the names of the task's module and, where the task loads an entry, of its loader."""
    task = FORMAT_FACTS[kind.format].measure if kind.task is Task.MEASURE else TASKS[kind.task]
    return (task,) if kind.task is Task.CALIBRATE else (task, loader_of(kind))


def _work(task: TaskModule, request: Request, given: argparse.Namespace) -> Work:
    """Open the files of the request; what is returned does it."""
    opened = open_paced if request.task is Task.LATENCY or request.trials else open_inputs
    pixels = opened(given.inputs, request)
    channel = Channel(given.outputs)
    return lambda: task.run(request, given.package, pixels, channel)


def settle(letter: Letter, request: Request) -> None:
    """Take what is left of the limits, and of what may be called; from here on the entry may run."""
    for name, limit in letter.limits.items():
        resource.setrlimit(getattr(resource, name), (limit, limit))
    if letter.last_filter:
        put_on(letter.last_filter)
    if not request.may_start_processes:
        refuse_processes()


def _end(pipe: ReplyPipe, reply: Mapping[str, object], *, exit_code: int) -> None:
    pipe.reply(reply)
    sys.stdout.flush()
    sys.stderr.flush()
    leave(exit_code)


if __name__ == "__main__":
    main()
