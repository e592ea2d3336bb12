"""The child process: reads one request, does its task, writes one reply and leaves."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final, Protocol, cast

from scoring.contracts import FORMAT_FACTS, Request, Task
from scoring.sandboxed.channel import Channel, Reply, ReplyPipe, leave, read_letter
from scoring.sandboxed.inputs import Pixels, open_inputs, open_paced
from scoring.sandboxed.loaders import loader_of
from scoring.sandboxed.processes import refuse_processes
from scoring.sandboxed.refusal import Refusal

TASKS: Final[Mapping[Task, str]] = {
    Task.COUNT: "scoring.sandboxed.tasks.count",
    Task.PREDICT: "scoring.sandboxed.tasks.predict",
    Task.LATENCY: "scoring.sandboxed.tasks.latency",
    Task.EXPORT: "scoring.sandboxed.tasks.export",
    Task.COMPILE: "scoring.sandboxed.tasks.compile",
    Task.TRACE: "scoring.sandboxed.tasks.trace",
    Task.QUANTISE: "scoring.sandboxed.tasks.quantise",
}
"""The module that does a task on an entry; how one is measured depends on its format."""


Work = Callable[[], Reply]


class TaskModule(Protocol):
    """A module that does a task."""

    def run(self, request: Request, package: Path, pixels: Pixels, channel: Channel) -> Reply:
        """Load the entry, do the task and return the reply; raise `Refusal` if the entry fails."""


def main() -> None:
    """Do what the request named on the command line asks for; never return."""
    # What the environment adds for its own machine is not here, and would only tell of that.
    sys.path[:] = [folder for folder in sys.path if Path(folder).exists()]
    paths = _paths()
    request = Request.from_json(paths.request.read_text())
    letter = read_letter()
    pipe = ReplyPipe(paths.reply, letter)
    try:
        work = _calibration(request) if request.task is Task.CALIBRATE else _work(request, paths)
        if not request.may_start_processes:
            refuse_processes(letter.last_filter)
        pipe.started()
        reply = work()
    except Refusal as refusal:
        _end(pipe, {"outcome": refusal.outcome, "facts": refusal.facts}, exit_code=1)
    _end(pipe, reply, exit_code=0)


def _paths() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scoring.sandboxed")
    for name in ("request", "package", "inputs", "outputs"):
        parser.add_argument(f"--{name}", type=Path, required=name not in {"package", "inputs"})
    parser.add_argument("--reply", type=int, required=True)
    return parser.parse_args()


def _calibration(request: Request) -> Work:
    from scoring.sandboxed.tasks.calibrate import calibrate

    return lambda: calibrate(request.threads)


def _work(request: Request, paths: argparse.Namespace) -> Work:
    """Import all of ours before the entry is, so that a broken library of ours does not look like its doing."""
    opened = open_paced if request.task is Task.LATENCY or request.trials else open_inputs
    pixels = opened(paths.inputs, request)
    channel = Channel(paths.outputs)
    import_module(loader_of(request))
    measure = FORMAT_FACTS[request.format].measure
    task = cast(TaskModule, import_module(measure if request.task is Task.MEASURE else TASKS[request.task]))
    return lambda: task.run(request, paths.package, pixels, channel)


def _end(pipe: ReplyPipe, reply: Mapping[str, object], *, exit_code: int) -> None:
    pipe.reply(reply)
    sys.stdout.flush()
    sys.stderr.flush()
    leave(exit_code)


if __name__ == "__main__":
    main()
