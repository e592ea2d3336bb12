"""The child process: reads one request, does its task, writes one reply and leaves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from scoring.contracts import FORMAT_FACTS, Request, Task
from scoring.sandboxed.channel import Channel, Reply, leave
from scoring.sandboxed.inputs import Pixels, open_inputs, open_paced
from scoring.sandboxed.processes import refuse_processes
from scoring.sandboxed.refusal import Refusal

TASKS: Final[Mapping[Task, str]] = {
    Task.PREDICT: "scoring.sandboxed.tasks.predict",
    Task.LATENCY: "scoring.sandboxed.tasks.latency",
    Task.EXPORT: "scoring.sandboxed.tasks.export",
    Task.COMPILE: "scoring.sandboxed.tasks.compile",
    Task.TRACE: "scoring.sandboxed.tasks.trace",
    Task.QUANTISE: "scoring.sandboxed.tasks.quantise",
}
"""The module that does a task on an entry; how one is measured depends on its format."""


class TaskModule(Protocol):
    """A module that does a task."""

    def run(self, request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
        """Load the entry, do the task and return the reply; raise `Refusal` if the entry fails."""


def main() -> None:
    """Do what the request named on the command line asks for; never return."""
    paths = _paths()
    request = Request.from_json(paths.request.read_text())
    channel = Channel(paths.reply, paths.outputs)
    try:
        reply = _calibrate(request) if request.task is Task.CALIBRATE else _run(request, paths, channel)
    except Refusal as refusal:
        _end(channel, {"outcome": refusal.outcome, "facts": refusal.facts}, exit_code=1)
    _end(channel, reply, exit_code=0)


def _paths() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scoring.sandboxed")
    for name in ("request", "package", "inputs", "reply", "outputs"):
        parser.add_argument(f"--{name}", type=Path, required=name not in {"package", "inputs"})
    return parser.parse_args()


def _calibrate(request: Request) -> Reply:
    from scoring.sandboxed.tasks.calibrate import calibrate

    return calibrate(request.threads)


def _run(request: Request, paths: argparse.Namespace, channel: Channel) -> Reply:
    opened = open_paced if request.task is Task.LATENCY else open_inputs
    pixels = opened(paths.inputs, request)
    # Imported before the entry is, so that a library of ours that is broken does not look like its doing.
    facts = FORMAT_FACTS[request.format]
    import_module(facts.loader)
    work = cast(
        TaskModule, import_module(facts.measure if request.task is Task.MEASURE else TASKS[request.task])
    )
    if not request.may_start_processes:
        refuse_processes()
    channel.started()
    return work.run(request, paths.package, pixels, channel)


def _end(channel: Channel, reply: Mapping[str, object], *, exit_code: int) -> None:
    channel.reply(reply)
    sys.stdout.flush()
    sys.stderr.flush()
    leave(exit_code)


if __name__ == "__main__":
    main()
